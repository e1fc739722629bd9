//! `[backup]`: backups that the server makes by itself.

use std::path::PathBuf;
use std::time::Duration;

use super::declare::section;
use super::problems::{DAY, MINUTE, Problems};
use super::server::Database;
use super::values::{duration, unset};

section! {
    /// Backups of the SQLite file that the server makes by itself, beside its work.
    Backup {
        /// Their folder; "" makes none. It is best on another disk. Its files are named `cloakroom-` and the time.
        #[serde(with = "unset")]
        directory: Option<PathBuf> = "",
        /// How long after a backup the next one is due.
        #[serde(with = "duration")]
        every: Duration = "1d" in MINUTE..=(30 * DAY),
        /// How many are kept: the oldest is deleted once a new one was verified.
        keep: usize = 7 in 1..=1_000,
    }
}

impl Backup {
    pub(super) fn check(&self, database: &Database, problems: &mut Problems) {
        if self.directory.is_some() && database.url.is_some() {
            problems.refuse(
                "backup.directory",
                "must be unset with database.url: PostgreSQL is backed up by its own tools",
            );
        }
    }
}
