//! The files at a database's path, before SQLite opens them and while it has them open.
//!
//! # Threats
//! - committed rows lost with a removed or truncated file: a new database is created only where none of its files is
//! - a start that is killed: a new database gets its name when it is complete; a change that was interrupted under a
//!   rollback journal is undone by the next start
//! - other users of the machine: new files are readable by their owner only, and a start removes wider access
//! - a file that the server cannot write, because root created it: new files belong to the owner of their folder
//! - a symbolic link, whose own mode, owner and neighbours say nothing: it is followed once, before anything is checked
//! - writes to a file that was removed or replaced: each commit first compares the files at the path with the open ones

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::migrate::{APPLICATION_ID, migrate};
use super::statement::error;
use crate::crypto::private_file;
use crate::domain::error::{Error, Result, UnavailableReason};

/// What SQLite adds to the name of a database for the files beside it.
const WAL: &str = "-wal";
const JOURNAL: &str = "-journal";
const COMPANIONS: [&str; 3] = [WAL, JOURNAL, "-shm"];
/// The shortest page, hence the shortest database.
const SMALLEST: u64 = 512;
/// Where a database has its application id, as four bytes (file format, 1.3).
const APPLICATION_ID_AT: u64 = 68;
const OTHER_USERS: u32 = 0o077;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No file of a database.
    Nothing,
    /// A file that may be a database.
    File,
}

/// The path of the file itself, which a symbolic link at `path` may lead to: SQLite has its other files beside that one.
///
/// # Errors
/// The link leads to no file.
pub(super) fn resolve(path: &Path) -> Result<PathBuf> {
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return Ok(path.to_owned());
    }
    fs::canonicalize(path).map_err(|failure| {
        let target = fs::read_link(path).unwrap_or_default();
        Error::internal(format!(
            "this is a symbolic link to {}, which cannot be followed ({failure}): is a file system not mounted?",
            target.display()
        ))
    })
}

/// Looks at the files without opening them: closing one would end locks that this process has on it.
///
/// # Errors
/// The file is gone or too short to be a database; the message names what is there.
pub(super) fn examine(path: &Path) -> Result<Found> {
    let beside: Vec<String> = COMPANIONS
        .iter()
        .map(|suffix| beside(path, suffix))
        .filter(|file| file.exists())
        .map(|file| file.display().to_string())
        .collect();
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(Error::internal("this is not a file")),
        Ok(found) if found.len() < SMALLEST => {
            let beside = match beside.is_empty() {
                true => String::new(),
                false => format!(", with {} beside it", beside.join(" and ")),
            };
            Err(Error::internal(format!(
                "this file is damaged: it has {} bytes, fewer than any database{beside}; restore a backup, or delete \
                 these files if there is nothing to lose",
                found.len()
            )))
        }
        Ok(_) => Ok(Found::File),
        Err(missing) if missing.kind() == ErrorKind::NotFound && beside.is_empty() => {
            Ok(Found::Nothing)
        }
        Err(missing) if missing.kind() == ErrorKind::NotFound => Err(Error::internal(format!(
            "this file is gone, and {} is still there: restore both, or a backup",
            beside.join(" and ")
        ))),
        Err(failure) => Err(Error::internal(failure)),
    }
}

/// Creates a database with the current schema, unless another start was faster.
///
/// # Errors
/// The folder or the file cannot be written.
pub(super) fn create(path: &Path) -> Result<()> {
    match NewFile::start(path)? {
        Some(file) => file.finish(),
        None => Ok(()),
    }
}

/// A database with the current schema, which is under another name until it is complete. Dropping it deletes it.
pub(super) struct NewFile {
    connection: Connection,
    draft: private_file::Draft,
    _lock: fs::File,
}

impl NewFile {
    /// Starts one; `None` if there is a file at the path.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub(super) fn start(path: &Path) -> Result<Option<Self>> {
        create_folders(private_file::folder_of(path)).map_err(Error::internal)?;
        let lock = private_file::lock(path).map_err(Error::internal)?;
        if path.exists() {
            return Ok(None);
        }
        // Under the lock, none is in use.
        for abandoned in private_file::drafts_of(path).map_err(Error::internal)? {
            fs::remove_file(abandoned).map_err(Error::internal)?;
        }
        let draft = private_file::Draft::start(path).map_err(Error::internal)?;
        let mut connection = Connection::open(draft.aside()).map_err(error)?;
        // Nothing to roll back to: the draft is one file, and complete or abandoned.
        connection
            .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            .map_err(error)?;
        migrate(&mut connection)?;
        Ok(Some(Self {
            connection,
            draft,
            _lock: lock,
        }))
    }

    /// What rows are added through.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Gives the file its name, and returns when it is on disk.
    ///
    /// # Errors
    /// It cannot be written, or a file came meanwhile, such as a restored backup, which is left alone.
    pub(super) fn finish(self) -> Result<()> {
        let closed = self.connection.close();
        closed.map_err(|(_, failure)| error(failure))?;
        self.draft.put_first().map_err(Error::internal)
    }
}

/// A process that has the database open, other than this one, in words.
///
/// # Errors
/// The file cannot be read.
pub(super) fn user_of(path: &Path) -> Result<Option<String>> {
    // A connection in WAL mode holds a shared lock on these bytes while it is open (SQLite's `os.h`).
    let lock = Flock {
        start: 0x4000_0000,
        length: 512,
        ..Flock::from(FlockType::WriteLock)
    };
    let file = match fs::File::open(path) {
        Err(missing) if missing.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(Error::internal)?,
    };
    let holder = fcntl_getlk(&file, &lock).map_err(Error::internal)?;
    Ok(holder.map(|lock| match lock.pid {
        Some(id) => format!("process {}", id.as_raw_nonzero()),
        None => "a process of another machine or container".to_owned(),
    }))
}

/// Creates the missing ones for their owner only. Those that root creates belong to the owner of the folder above.
pub(super) fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    create_folders(private_file::folder_of(folder))?;
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(exists) if exists.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(failure) => Err(failure),
        Ok(()) => private_file::give_to_owner_of_folder(folder),
    }
}

/// Whether a change under a rollback journal was interrupted, such as the switch to WAL of a restored backup. A
/// connection that only reads fails on such a file.
///
/// # Errors
/// The file is another program's, and is left as it is.
pub(super) fn is_interrupted(path: &Path) -> Result<bool> {
    if !beside(path, JOURNAL).exists() {
        return Ok(false);
    }
    // The file can be opened here: in WAL mode, where other connections have locks, it has no rollback journal.
    let mut id = [0; 4];
    let read = fs::File::open(path).and_then(|file| {
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut id, APPLICATION_ID_AT)
    });
    read.map_err(Error::internal)?;
    match i64::from(u32::from_be_bytes(id)) == APPLICATION_ID {
        true => Ok(true),
        false => Err(super::migrate::anothers()),
    }
}

/// Removes the access of other users to the files, with a warning.
pub(super) fn restrict_access(path: &Path) {
    for file in files(path) {
        let Ok(found) = fs::metadata(&file) else {
            continue;
        };
        let mode = found.permissions().mode() & 0o777;
        if mode & OTHER_USERS == 0 {
            continue;
        }
        let file_name = file.display();
        let mode_text = format!("{mode:04o}");
        match fs::set_permissions(&file, fs::Permissions::from_mode(mode & !OTHER_USERS)) {
            Ok(()) => {
                tracing::warn!(file = %file_name, mode = mode_text, "other users of this machine had access to the database: removed");
            }
            Err(error) => {
                tracing::warn!(file = %file_name, mode = mode_text, %error, "other users of this machine have access to the database");
            }
        }
    }
}

/// The identities of the open files, to notice that they were removed or replaced.
#[derive(Debug)]
pub(super) struct OpenFiles {
    files: Vec<(PathBuf, Identity)>,
    are_replaced: AtomicBool,
}

type Identity = (u64, u64);

impl OpenFiles {
    /// Those of a database that was just opened at `path`, which is a link or the `file` itself.
    pub(super) fn of(path: &Path, file: &Path) -> Result<Self> {
        // A link that leads elsewhere later is noticed, too.
        let database = (path.to_owned(), identity(path).map_err(Error::internal)?);
        let wal = beside(file, WAL);
        let wal = identity(&wal).ok().map(|identity| (wal, identity));
        Ok(Self {
            files: std::iter::once(database).chain(wal).collect(),
            are_replaced: AtomicBool::new(false),
        })
    }

    /// Those of a database in memory.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self {
            files: Vec::new(),
            are_replaced: AtomicBool::new(false),
        }
    }

    /// # Errors
    /// [`UnavailableReason::DatabaseReplaced`], which is logged once.
    pub(super) fn check(&self) -> Result<()> {
        let is_other = |(path, open): &&(PathBuf, Identity)| identity(path).ok() != Some(*open);
        let other = self.files.iter().find(is_other);
        let was_replaced = self.are_replaced.swap(other.is_some(), Ordering::Relaxed);
        let Some((path, _)) = other else {
            if was_replaced {
                tracing::warn!("the database file is back");
            }
            return Ok(());
        };
        if !was_replaced {
            tracing::error!(file = %path.display(), "the database file was removed or replaced while it is open: writes are refused; put it back, or restart the server to use what is there now");
        }
        Err(Error::unavailable(
            UnavailableReason::DatabaseReplaced,
            Duration::from_secs(60),
        ))
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    let found = fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// The files of a database that are there, itself first.
pub(super) fn files(path: &Path) -> Vec<PathBuf> {
    let companions = COMPANIONS.iter().map(|suffix| beside(path, suffix));
    let files = std::iter::once(path.to_owned()).chain(companions);
    files.filter(|file| file.exists()).collect()
}

/// The size of the write-ahead log in bytes.
pub(super) fn wal_size(path: &Path) -> u64 {
    fs::metadata(beside(path, WAL)).map_or(0, |found| found.len())
}

/// A file beside a database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
