//! What can be asked of a file without opening the house: nothing is made, migrated or written.

use std::path::Path;

use super::migrate::version_of;
use super::open_reading;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::Reader;

/// A file opened for reading, whatever its state.
pub struct Inspection {
    connection: rusqlite::Connection,
}

impl Inspection {
    /// Opens a file that exists.
    ///
    /// # Errors
    /// It does not exist, or may not be read.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            connection: open_reading(path)?,
        })
    }

    /// Its schema version: 0 for an empty file.
    ///
    /// # Errors
    /// The file is damaged, another program's, or a newer Cloakroom's.
    pub fn schema_version(&self) -> Result<usize> {
        version_of(&self.connection)
    }

    /// When the newest of its rows was made; `None` when there is none. Reads the tables whole.
    ///
    /// # Errors
    /// The file is damaged or has another schema.
    pub fn newest_row(&self) -> Result<Option<Timestamp>> {
        let reader = Reader {
            connection: &self.connection,
        };
        let newest = reader.one(
            "SELECT max(created_at) FROM (
                 SELECT created_at FROM users UNION ALL SELECT created_at FROM sessions
                 UNION ALL SELECT created_at FROM projects UNION ALL SELECT created_at FROM outbox
             ) AS made",
            &[],
            |row| row.get::<Option<Timestamp>>(0),
        )?;
        Ok(newest.flatten())
    }

    /// How many mails were given up after `since` and not tried again.
    ///
    /// # Errors
    /// The file is damaged or has another schema.
    pub fn mails_given_up(&self, since: Timestamp) -> Result<i64> {
        let reader = Reader {
            connection: &self.connection,
        };
        let sql = "SELECT count(*) FROM outbox WHERE dead_at > $1";
        Ok(reader
            .one(sql, &[since.into()], |row| row.get(0))?
            .unwrap_or_default())
    }
}
