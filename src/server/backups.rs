//! Scheduled backups: which are there, whether one is due, and which are deleted.
//!
//! # Threats
//! - files of others in the folder: only files with the names of scheduled backups are counted and deleted
//! - the last good backup deleted for one that fails: old ones are deleted after a new one was verified
//! - two servers on one file: a lock; the second finds that none is due
//! - a disk that is full of failures: a backup that fails leaves nothing, and the next attempt waits

use std::fs::{self, DirBuilder};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::NaiveDateTime;

use crate::config::Settings;
use crate::crypto::private_file;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::store;

const PREFIX: &str = "cloakroom-";
const SUFFIX: &str = ".db";
const TIME: &str = "%Y%m%dT%H%M%SZ";
const LOCK: &str = "cloakroom.lock";

/// A backup that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledBackup {
    /// When it was started.
    pub at: Timestamp,
    /// Its file.
    pub path: PathBuf,
}

/// A backup that was made.
#[derive(Debug)]
pub struct Made {
    /// Its file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// How many older ones were deleted.
    pub deleted: usize,
}

/// The scheduled backups in a folder, the oldest first; none if there is no folder.
///
/// # Errors
/// The folder cannot be read.
pub fn list(directory: &Path) -> io::Result<Vec<ScheduledBackup>> {
    let entries = match fs::read_dir(directory) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(at) = name.to_str().and_then(time_in)
            && entry.file_type()?.is_file()
        {
            found.push(ScheduledBackup {
                at,
                path: entry.path(),
            });
        }
    }
    found.sort_by_key(|backup| backup.at);
    Ok(found)
}

fn time_in(name: &str) -> Option<Timestamp> {
    let time = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let parsed = NaiveDateTime::parse_from_str(time, TIME).ok()?;
    let millis = parsed.and_utc().timestamp_millis();
    let at = Timestamp::from_millis(millis);
    (name_at(at) == name).then_some(at)
}

fn name_at(at: Timestamp) -> String {
    format!("{PREFIX}{}{SUFFIX}", at.to_utc().format(TIME))
}

/// Whether a backup is due. One of the future is of a clock that was ahead, and counts as none.
///
/// # Errors
/// The folder cannot be read.
pub fn is_due(directory: &Path, every: Duration, now: Timestamp) -> io::Result<bool> {
    let backups = list(directory)?;
    let newest = backups.iter().rev().find(|backup| backup.at <= now);
    Ok(newest.is_none_or(|newest| now >= newest.at + every))
}

/// Makes a backup if one is due, and deletes older ones. `None` if none is due, or another process is making one. It waits
/// on the calling thread; `is_stopped` ends it early.
///
/// # Errors
/// For the operator: the backup cannot be made. Older ones stay.
pub fn make_if_due(
    settings: &Settings,
    now: Timestamp,
    is_stopped: &AtomicBool,
) -> Result<Option<Made>> {
    let Some(directory) = &settings.backup.directory else {
        return Ok(None);
    };
    let failed = |failure: io::Error| {
        Error::internal(format!(
            "backup.directory {}: {failure}",
            directory.display()
        ))
    };
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(directory).map_err(failed)?;
    let Some(_lock) = private_file::try_lock(&directory.join(LOCK)).map_err(failed)? else {
        return Ok(None);
    };
    if !is_due(directory, settings.backup.every, now).map_err(failed)? {
        return Ok(None);
    }
    remove_partial(directory).map_err(failed)?;
    let path = directory.join(name_at(now));
    let bytes = store::back_up(&settings.database, &path, &mut |_| match is_stopped
        .load(Ordering::Relaxed)
    {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    })?;
    let deleted = prune(directory, &path, settings.backup.keep).map_err(failed)?;
    Ok(Some(Made {
        path,
        bytes,
        deleted,
    }))
}

/// Removes what killed runs left. Under the lock, no other scheduled backup is being made.
fn remove_partial(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let time = name.to_str().and_then(|name| name.split_once(".partial."));
        if time.is_some_and(|(backup, _)| time_in(backup).is_some()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Deletes the oldest beside the one that was made, also where the clock was ahead; returns how many.
fn prune(directory: &Path, made: &Path, keep: usize) -> io::Result<usize> {
    let mut others = list(directory)?;
    others.retain(|backup| backup.path != made);
    let excess = (others.len() + 1).saturating_sub(keep);
    for backup in &others[..excess] {
        fs::remove_file(&backup.path)?;
    }
    Ok(excess)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;
    use crate::store::Inspection;

    const HOUR: Duration = Duration::from_secs(3600);
    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn settings(folder: &Path) -> Settings {
        let mut settings = Settings::for_env(Environment::Test).unwrap();
        settings.database.path = folder.join("cloakroom.db");
        settings.backup.directory = Some(folder.join("backups"));
        settings.backup.every = HOUR;
        settings.backup.keep = 2;
        store::upgrade(&settings.database).unwrap();
        settings
    }

    fn make(settings: &Settings, now: Timestamp) -> Option<Made> {
        make_if_due(settings, now, &AtomicBool::new(false)).unwrap()
    }

    fn names(settings: &Settings) -> Vec<String> {
        let directory = settings.backup.directory.as_ref().unwrap();
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.retain(|name| name != LOCK);
        names.sort();
        names
    }

    #[test]
    fn a_backup_is_made_when_it_is_due_and_the_oldest_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let made = make(&settings, NOW).unwrap();
        assert_eq!(
            made.path.file_name().unwrap(),
            "cloakroom-20270115T080000Z.db"
        );
        assert!(Inspection::open_backup(&made.path).is_ok());
        assert!(make(&settings, NOW + HOUR - Duration::from_secs(1)).is_none());
        assert_eq!(make(&settings, NOW + HOUR).unwrap().deleted, 0);
        assert_eq!(make(&settings, NOW + 2 * HOUR).unwrap().deleted, 1);
        assert_eq!(
            names(&settings),
            [
                "cloakroom-20270115T090000Z.db",
                "cloakroom-20270115T100000Z.db"
            ]
        );
        // The clock was set back.
        assert!(make(&settings, NOW).is_some());
        assert!(make(&settings, NOW).is_none());
    }

    #[test]
    fn files_of_others_are_neither_counted_nor_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let directory = settings.backup.directory.clone().unwrap();
        fs::create_dir(&directory).unwrap();
        let others = [
            "cloakroom-20270101T000000Z.db.gz",
            "cloakroom-20270101T0000Z.db",
            "cloakroom-mine.db",
            "cloakroom.db",
            "notes.partial.txt",
        ];
        for name in others {
            fs::write(directory.join(name), "mine").unwrap();
        }
        let left = "cloakroom-20270101T000000Z.db.partial.0123456789abcdef";
        fs::write(directory.join(left), "left").unwrap();
        for hour in 0..4_u32 {
            make(&settings, NOW + hour * HOUR).unwrap();
        }
        let left = names(&settings);
        assert_eq!(left.len(), others.len() + 2, "{left:?}");
        assert!(others.iter().all(|name| left.contains(&(*name).to_owned())));
    }

    #[test]
    fn a_backup_that_fails_deletes_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        make(&settings, NOW).unwrap();
        make(&settings, NOW + HOUR).unwrap();
        settings.backup.keep = 1;
        settings.database.path = folder.path().join("missing.db");
        let later = NOW + 4 * HOUR;
        assert!(make_if_due(&settings, later, &AtomicBool::new(false)).is_err());
        assert_eq!(names(&settings).len(), 2);
    }
}
