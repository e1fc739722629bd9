//! Opens a file: makes it for us alone, refuses what is not ours before anything is written, brings its schema up to
//! date, and sets every connection up.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::fault;
use crate::config;
use crate::domain::error::{Error, Result};
use crate::store::sqlite::migrate::{SCHEMA_VERSION, migrate, version_of};

const STATEMENT_CACHE: usize = 64;
/// After a checkpoint the write-ahead log is cut back to so many bytes; a larger one is held by a reader.
pub const LARGEST_WAL: u64 = 64 * 1024 * 1024;

/// Makes the file where it is missing and brings its schema up to date; gives the version that it had, 0 for a new one.
///
/// # Errors
/// As [`Database::open`](crate::store::Database::open).
pub fn upgrade(settings: &config::Database) -> Result<usize> {
    open_current(settings).map(|(_, before)| before)
}

/// A connection that writes, to a file with this program's schema, and the version that the file had.
///
/// # Errors
/// For the operator at the start, naming the file.
pub(super) fn open_current(settings: &config::Database) -> Result<(Connection, usize)> {
    let path = &settings.path;
    let open = || {
        create_private(path).map_err(Error::internal)?;
        // Asked without the right to write: what is not ours, or damaged, stays as it is to the byte.
        version_of(&open_reading(path)?)?;
        let mut connection = open_writing(path, settings.busy_timeout)?;
        let steps = migrate(&mut connection)?;
        Ok((connection, SCHEMA_VERSION - steps))
    };
    open().map_err(|failure: Error| {
        let words = match &failure {
            Error::Unavailable { reason, .. } => explain(reason).to_owned(),
            other => other.to_string(),
        };
        Error::internal(format!("database.path {}: {words}", path.display()))
    })
}

/// The file and its folder exist, and belong to us alone when we made them.
fn create_private(path: &Path) -> io::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
    {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(fault) => Err(fault),
    }
}

fn open_writing(path: &Path, busy_timeout: Duration) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    prepare(&connection, busy_timeout).map_err(fault)?;
    if switch_to_wal(&connection, busy_timeout).map_err(fault)? != "wal" {
        return Err(Error::internal(
            "this file system cannot hold a WAL database",
        ));
    }
    // FULL: a revocation that was answered is on disk. fullfsync: on macOS an fsync alone is no barrier. The log is
    // copied into the file every 32 MiB: the more commits that covers, the more of their pages are the same.
    connection
        .execute_batch(
            &format!("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
             PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 8192; PRAGMA journal_size_limit = {LARGEST_WAL};"),
        )
        .map_err(fault)?;
    Ok(connection)
}

/// Two first starts at once get in each other's way here, and SQLite does not wait on its own for this one.
fn switch_to_wal(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<String> {
    let started = Instant::now();
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)) {
            Err(busy)
                if busy.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && started.elapsed() < busy_timeout =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            outcome => return outcome,
        }
    }
}

pub(super) fn open_readers(
    path: &Path,
    count: u32,
    busy_timeout: Duration,
) -> Result<Pool<SqliteConnectionManager>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let manager = SqliteConnectionManager::file(path)
        .with_flags(flags)
        .with_init(move |connection| {
            prepare(connection, busy_timeout)?;
            connection.execute_batch("PRAGMA query_only = ON")
        });
    Pool::builder()
        .max_size(count)
        .max_lifetime(None)
        .idle_timeout(None)
        .test_on_check_out(false)
        .connection_timeout(Duration::from_secs(5))
        .build(manager)
        .map_err(Error::internal)
}

pub(in crate::store) fn open_reading(path: &Path) -> Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fault)?;
    prepare(&connection, Duration::from_secs(5)).map_err(fault)?;
    Ok(connection)
}

/// What every connection has. No memory map: there an I/O error would be a signal instead of an error.
fn prepare(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;",
    )
}

/// A reason's code in words, for an operator.
pub fn explain(reason: &'static str) -> &'static str {
    match reason {
        "database_damaged" => {
            "this file is damaged or no SQLite database, and was left as it is; restore a backup, or choose another path"
        }
        "database_busy" => "another process holds this file for longer than database.busy_timeout",
        "disk_full" => "there is no space left",
        "database_read_only" | "database_unopenable" => {
            "this file or its folder cannot be opened for writing"
        }
        "database_io_failure" => {
            "this file cannot be read or written: the disk or the file system fails"
        }
        other => other,
    }
}
