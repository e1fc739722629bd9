//! The SQLite engine: readers from a pool, used in place on the thread that asks, and one writer.
//!
//! Readers never wait in WAL mode, and a look-up takes a few microseconds, less than handing it to another
//! thread. Writers would wait for each other, so there is one: a thread that owns the writing connection and
//! takes closures from a bounded queue. See [`writer`].

mod writer;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use super::migrate::{SCHEMA_VERSION, migrate, version_of};
use super::{Reader, Row, Transaction, Value};
use crate::clock::Timestamp;
use crate::config;
use crate::error::{Error, Result};
use writer::Writer;

const STATEMENT_CACHE: usize = 64;
/// After a checkpoint the write-ahead log is cut back to so many bytes; a larger one is held by a reader.
pub const LARGEST_WAL: u64 = 64 * 1024 * 1024;

/// One open file.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    readers: Pool<SqliteConnectionManager>,
    writer: Writer,
    damaged: Arc<AtomicBool>,
    /// When a heartbeat was last written, in milliseconds since 1970.
    beat: AtomicI64,
}

impl Sqlite {
    pub(super) fn open(settings: &config::Database, workers: usize) -> Result<Self> {
        let path = settings.path.clone();
        let (connection, _) = open_current(settings)?;

        let readers = match settings.readers {
            // One a worker, and one for what runs in the background.
            0 => u32::try_from(workers).unwrap_or(u32::MAX).saturating_add(1),
            configured => configured,
        };
        Ok(Self {
            readers: open_readers(&path, readers, settings.busy_timeout)?,
            writer: Writer::start(connection)?,
            damaged: Arc::new(AtomicBool::new(false)),
            beat: AtomicI64::new(i64::MIN),
            path,
        })
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T>) -> Result<T> {
        let connection = self
            .readers
            .get()
            .map_err(|_| Error::unavailable("database_readers_exhausted", Duration::from_secs(1)))?;
        work(&Reader {
            connection: &connection,
        })
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.write(work).await
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// A beat from after `now` proves nothing: the clock was set back.
    pub(super) fn has_beaten_between(&self, moment: Timestamp, now: Timestamp) -> bool {
        let beat = Timestamp::from_millis(self.beat.load(Ordering::Relaxed));
        moment < beat && beat <= now
    }

    pub(super) fn note_beat(&self, at: Timestamp) {
        self.beat.store(at.as_millis(), Ordering::Relaxed);
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn check_in_background(&self) {
        let (path, damaged) = (self.path.clone(), Arc::clone(&self.damaged));
        let check = move || {
            // A whole file is read here: requests come first.
            let _ = thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Min);
            match findings(&path, "PRAGMA quick_check(20)") {
                Ok(findings) if findings.is_empty() => tracing::debug!("the database file is sound"),
                Ok(findings) => {
                    damaged.store(true, Ordering::Relaxed);
                    tracing::error!(
                        findings = findings.len(),
                        "the database file is damaged: run `cloakroom doctor`"
                    );
                }
                Err(fault) => {
                    // A lack of descriptors or memory says nothing of the file.
                    let damage = matches!(
                        fault,
                        Error::Unavailable {
                            reason: "database_damaged",
                            ..
                        }
                    );
                    damaged.store(damage, Ordering::Relaxed);
                    tracing::error!(%fault, "the database file cannot be checked: run `cloakroom doctor`");
                }
            }
        };
        if let Err(fault) = std::thread::Builder::new()
            .name("quick-check".into())
            .spawn(check)
        {
            tracing::error!(%fault, "the check of the database file could not start");
        }
    }
}

/// Makes the file where it is missing and brings its schema up to date; gives the version that it had, 0 for a new one.
///
/// # Errors
/// As [`Database::open`](super::Database::open).
pub fn upgrade(settings: &config::Database) -> Result<usize> {
    open_current(settings).map(|(_, before)| before)
}

/// Everything that SQLite finds wrong with a file; empty when it is sound.
///
/// # Errors
/// The file cannot be opened or read at all.
pub fn integrity(path: &Path) -> Result<Vec<String>> {
    let mut found = findings(path, "PRAGMA integrity_check")?;
    if !found.is_empty() {
        // Following references through damage would end in a failure that hides the findings.
        return Ok(found);
    }
    let connection = open_reading(path)?;
    let orphans: i64 = connection
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .map_err(fault)?;
    if orphans > 0 {
        found.push(format!("{orphans} rows refer to rows that are not there"));
    }
    Ok(found)
}

fn findings(path: &Path, check: &str) -> Result<Vec<String>> {
    let connection = open_reading(path)?;
    let mut statement = connection.prepare(check).map_err(fault)?;
    let mut rows = statement.query([]).map_err(fault)?;
    let mut found = Vec::new();
    loop {
        match rows.next() {
            Ok(Some(row)) => found.push(row.get::<_, String>(0).map_err(fault)?),
            Ok(None) => break,
            // The check itself may stumble over damage: what it found by then is worth more.
            Err(_) if !found.is_empty() => break,
            Err(failure) => return Err(fault(failure)),
        }
    }
    found.retain(|finding| finding != "ok");
    Ok(found)
}

/// A connection that writes, to a file with this program's schema, and the version that the file had.
///
/// # Errors
/// For the operator at the start, naming the file.
fn open_current(settings: &config::Database) -> Result<(Connection, usize)> {
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
        return Err(Error::internal("this file system cannot hold a WAL database"));
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

fn open_readers(path: &Path, count: u32, busy_timeout: Duration) -> Result<Pool<SqliteConnectionManager>> {
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

pub(super) fn open_reading(path: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fault)?;
    prepare(&connection, Duration::from_secs(5)).map_err(fault)?;
    Ok(connection)
}

/// What every connection has. No memory map: there an I/O error would be a signal instead of an error.
fn prepare(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;")
}

pub(super) fn query<T>(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
    read: impl Fn(&Row<'_>) -> Result<T>,
    most: usize,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql).map_err(fault)?;
    debug_assert!(placeholders_stand_in_order(&statement), "{sql}");
    let mut rows = statement
        .query(rusqlite::params_from_iter(values))
        .map_err(fault)?;
    let mut found = Vec::new();
    while found.len() < most
        && let Some(row) = rows.next().map_err(fault)?
    {
        found.push(read(&Row { inner: row })?);
    }
    // A statement with RETURNING has done its work only when it has been stepped to its end.
    while rows.next().map_err(fault)?.is_some() {}
    Ok(found)
}

pub(super) fn execute(connection: &Connection, sql: &str, values: &[Value<'_>]) -> Result<usize> {
    let mut statement = connection.prepare_cached(sql).map_err(fault)?;
    debug_assert!(placeholders_stand_in_order(&statement), "{sql}");
    statement
        .execute(rusqlite::params_from_iter(values))
        .map_err(fault)
}

/// SQLite numbers `$1`, `$2`, … by where they first stand, PostgreSQL by their name: they must agree.
fn placeholders_stand_in_order(statement: &rusqlite::Statement<'_>) -> bool {
    (1..=statement.parameter_count()).all(|at| statement.parameter_name(at) == Some(&format!("${at}")))
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Integer(value) => ValueRef::Integer(value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Blob(value) => ValueRef::Blob(value),
        }))
    }
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
        "database_io_failure" => "this file cannot be read or written: the disk or the file system fails",
        other => other,
    }
}

/// What a failure of SQLite means to the rest of the house: mostly "not now", else a fault of ours.
pub(super) fn fault(fault: rusqlite::Error) -> Error {
    let (reason, seconds) = match fault.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ("database_busy", 1),
        Some(ErrorCode::DiskFull) => ("disk_full", 30),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ("database_damaged", 60),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => ("database_read_only", 60),
        Some(ErrorCode::CannotOpen) => ("database_unopenable", 60),
        Some(ErrorCode::SystemIoFailure) => ("database_io_failure", 30),
        _ => return Error::internal(fault),
    };
    Error::unavailable(reason, Duration::from_secs(seconds))
}
