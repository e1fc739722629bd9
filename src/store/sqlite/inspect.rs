//! Read-only inspection of a database file: nothing is created, migrated or written.

use std::path::{Path, PathBuf};

use super::check::integrity_of;
use super::migrate::{check_objects, version_of_file};
use super::open::{MISSING, open_reading, open_unchanged};
use super::place::{self, Found};
use crate::domain::error::{Error, Result};
use crate::store::content::Content;

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

    /// Opens a backup, which no process writes. Beside it nothing is created, so that it may be on a read-only disk.
    ///
    /// # Errors
    /// As [`Inspection::open`]; or the file has a log beside it, as one that is in use.
    pub fn open_backup(path: &Path) -> Result<Self> {
        let path = place::resolve(path)?;
        if place::examine(&path)? == Found::Nothing {
            return Err(Error::internal("no such file"));
        }
        if place::files(&path).len() > 1 {
            return Err(Error::internal(
                "this file is in use, or a copy of one that was: the last changes are in the files beside it; make a \
                 backup with `cloakroom backup`",
            ));
        }
        Ok(Self {
            connection: open_unchanged(&path)?,
        })
    }

    /// All damage that SQLite finds; empty when the file is sound.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub fn integrity(&self) -> Result<Vec<String>> {
        integrity_of(&self.connection)
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
        check_objects(&self.connection)
    }

    /// What a database of the current version contains.
    pub fn content(self) -> Content {
        Content::new(self.connection)
    }
}
