//! Read-only inspection of a database file: nothing is created, migrated or written.

use std::path::{Path, PathBuf};

use super::migrate::{missing_objects, version_of_file};
use super::open::{MISSING, incomplete, open_reading};
use super::place::{self, Found};
use crate::crypto::password;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{EmailAddress, PasswordDigest};
use crate::store::engine::Reader;

/// A file opened for reading, of any schema version.
pub struct Inspection {
    connection: rusqlite::Connection,
}

impl Inspection {
    /// The files of a database that are there, itself first.
    ///
    /// # Errors
    /// It is missing, or what is at the path is no database.
    pub fn files_of(path: &Path) -> Result<Vec<PathBuf>> {
        let path = place::resolve(path)?;
        match place::examine(&path)? {
            Found::Nothing => Err(Error::internal(MISSING)),
            Found::File => Ok(place::files(&path)),
        }
    }

    /// The size of the write-ahead log in bytes.
    pub fn wal_size(path: &Path) -> u64 {
        place::resolve(path).map_or(0, |path| place::wal_size(&path))
    }

    /// Opens a file that exists.
    ///
    /// # Errors
    /// The file does not exist, is truncated or cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let path = place::resolve(path)?;
        if place::examine(&path)? == Found::Nothing {
            return Err(Error::internal(MISSING));
        }
        if place::is_interrupted(&path)? {
            return Err(Error::internal(
                "a change of this file was interrupted; start the server, which undoes it",
            ));
        }
        Ok(Self {
            connection: open_reading(&path)?,
        })
    }

    /// The schema version.
    ///
    /// # Errors
    /// The file is damaged, another program's, or a newer Cloakroom's.
    pub fn schema_version(&self) -> Result<usize> {
        version_of_file(&self.connection)
    }

    /// Whether a file of the current version has all that its schema names.
    ///
    /// # Errors
    /// What is missing, or the file cannot be read.
    pub fn check_schema(&self) -> Result<()> {
        match missing_objects(&self.connection)? {
            missing if missing.is_empty() => Ok(()),
            missing => Err(incomplete(&missing)),
        }
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

    /// The users who can never sign in: with an address that this program would not write, such as one in capitals, and
    /// with a password digest that is not bcrypt's. Rows imported by other programs may be so. Reads whole tables.
    ///
    /// # Errors
    /// The file is damaged or has another schema.
    pub fn foreign_rows(&self) -> Result<ForeignRows> {
        let reader = Reader::new(&self.connection);
        let addresses = reader.all(
            "SELECT id, email_address FROM users ORDER BY id",
            &[],
            |row| {
                let (id, text) = (row.next::<i64>()?, row.next::<String>()?);
                let is_ours =
                    EmailAddress::parse(&text).is_ok_and(|address| address.as_str() == text);
                Ok((!is_ours).then_some(id))
            },
        )?;
        let digests = reader.all(
            "SELECT user_id, digest FROM passwords ORDER BY user_id",
            &[],
            |row| {
                let (id, digest) = (row.next::<i64>()?, row.next::<PasswordDigest>()?);
                Ok((!password::is_bcrypt(&digest)).then_some(id))
            },
        )?;
        Ok(ForeignRows {
            addresses: addresses.into_iter().flatten().collect(),
            digests: digests.into_iter().flatten().collect(),
        })
    }
}

/// The ids of users whose rows this program would not write.
#[derive(Debug)]
pub struct ForeignRows {
    /// By their address.
    pub addresses: Vec<i64>,
    /// By their password digest.
    pub digests: Vec<i64>,
}
