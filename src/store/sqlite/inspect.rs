//! Read-only inspection of a database file: nothing is created, migrated or written.

use std::path::Path;

use super::migrate::version_of;
use super::open::open_reading;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::engine::Reader;

/// A file opened for reading, of any schema version.
pub struct Inspection {
    connection: rusqlite::Connection,
}

impl Inspection {
    /// Opens a file that exists.
    ///
    /// # Errors
    /// The file does not exist or cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            connection: open_reading(path)?,
        })
    }

    /// The schema version: 0 for an empty file.
    ///
    /// # Errors
    /// The file is damaged, another program's, or a newer Cloakroom's.
    pub fn schema_version(&self) -> Result<usize> {
        version_of(&self.connection)
    }

    /// When the newest row was created; `None` without rows. Reads whole tables.
    ///
    /// # Errors
    /// The file is damaged or has another schema.
    pub fn newest_row(&self) -> Result<Option<Timestamp>> {
        let reader = Reader::new(&self.connection);
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

    /// The number of mails abandoned after `since` and not retried.
    ///
    /// # Errors
    /// The file is damaged or has another schema.
    pub fn mails_given_up(&self, since: Timestamp) -> Result<i64> {
        let reader = Reader::new(&self.connection);
        let sql = "SELECT count(*) FROM outbox WHERE dead_at > $1";
        Ok(reader
            .one(sql, &[since.into()], |row| row.get(0))?
            .unwrap_or_default())
    }
}
