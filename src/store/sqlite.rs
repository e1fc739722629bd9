//! The SQLite engine: readers from a pool, used in place on the thread that asks, and one writer.
//!
//! Readers never wait in WAL mode, and a look-up takes a few microseconds, less than handing it to another
//! thread. Writers would wait for each other, so there is one: a thread that owns the writing connection and
//! takes closures from a bounded queue. See [`writer`].

mod check;
pub(super) mod inspect;
pub(super) mod migrate;
mod open;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql};

use super::tables::revocations::RevocationList;
use super::{Reader, Row, Transaction, Value};
use crate::config;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::model::SessionId;
pub use check::integrity;
pub(super) use open::open_reading;
pub use open::{LARGEST_WAL, explain, upgrade};
use open::{open_current, open_readers};
use writer::Writer;

/// One open file.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    readers: Pool<SqliteConnectionManager>,
    ended: Arc<RevocationList>,
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
        let ended = Arc::new(RevocationList::load(&Reader {
            connection: &connection,
        })?);
        Ok(Self {
            readers: open_readers(&path, readers, settings.busy_timeout)?,
            writer: Writer::start(connection, Arc::clone(&ended))?,
            ended,
            damaged: Arc::new(AtomicBool::new(false)),
            beat: AtomicI64::new(i64::MIN),
            path,
        })
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T>) -> Result<T> {
        let connection = self.readers.get().map_err(|_| {
            Error::unavailable("database_readers_exhausted", Duration::from_secs(1))
        })?;
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

    pub(super) fn is_revoked(
        &self,
        session_id: SessionId,
        jti: &str,
        now: Timestamp,
    ) -> Result<bool> {
        if let Some(turn) = self.ended.poll_due() {
            self.read(|reader| turn.look(reader, now))?;
        }
        Ok(self.ended.has(session_id, jti))
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

    /// Checks the whole file on a thread of its own, at the lowest priority; damage is logged and remembered.
    pub(super) fn check_in_background(&self) {
        check::start(self.path.clone(), Arc::clone(&self.damaged));
    }
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
    (1..=statement.parameter_count())
        .all(|at| statement.parameter_name(at) == Some(&format!("${at}")))
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
