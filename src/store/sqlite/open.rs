//! Opens a file: refuses foreign files before anything is written, migrates the schema, and configures each connection.

#![expect(
    clippy::disallowed_methods,
    reason = "waits in real time for another process"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::migrate::{check_objects, migrate, version_of_file};
use super::place::{self, Found};
use super::statement::error;
use crate::config;
use crate::domain::error::{Error, Result, UnavailableReason};

const STATEMENT_CACHE: usize = 64;
/// A checkpoint truncates the write-ahead log to this many bytes; a larger log is held by a reader.
pub const LARGEST_WAL: u64 = 64 * 1024 * 1024;

/// What to do where there is no database yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMissing {
    /// Create one.
    Create,
    /// Refuse: an empty database in the place of a lost one would go unnoticed.
    Refuse,
}

/// Creates the file if it is missing and migrates its schema; returns the version that it had, 0 for a new file.
///
/// # Errors
/// As [`Database::open`](crate::store::Database::open).
pub fn upgrade(settings: &config::Database) -> Result<usize> {
    open_current(settings, IfMissing::Create).map(|(_, before)| before)
}

/// A writing connection to a file with the current schema, and the version that the file had.
///
/// # Errors
/// For the operator, naming the file.
pub(super) fn open_current(
    settings: &config::Database,
    if_missing: IfMissing,
) -> Result<(Connection, usize)> {
    let open = || {
        let path = &place::resolve(&settings.path)?;
        let found = place::examine(path)?;
        if found == Found::Nothing {
            if if_missing == IfMissing::Refuse {
                return Err(Error::internal(MISSING));
            }
            place::create(path)?;
        }
        if place::is_interrupted(path)? {
            undo_interrupted_change(path, settings.busy_timeout)?;
        }
        // Read-only: a foreign or damaged file is not changed by a byte.
        let version = version_of_file(&open_reading(path)?)?;
        place::restrict_access(path);
        let mut connection = open_writing(path, settings.busy_timeout)?;
        migrate(&mut connection)?;
        check_objects(&connection)?;
        let before = if found == Found::Nothing { 0 } else { version };
        Ok((connection, before))
    };
    open().map_err(|failure: Error| named(&settings.path, &failure))
}

/// A failure for the operator, naming the file.
pub(in crate::store) fn named(path: &Path, failure: &Error) -> Error {
    let words = in_words(failure);
    Error::internal(format!("database.path {}: {words}", path.display()))
}

/// A failure for the operator.
pub(super) fn in_words(failure: &Error) -> String {
    match failure {
        Error::Unavailable { reason, .. } => explain(*reason).to_owned(),
        other => other.to_string(),
    }
}

/// The refusal where no database is.
pub(super) const MISSING: &str = "no database here: `cloakroom migrate` creates one";

/// The first reading of a connection that may write undoes the change.
fn undo_interrupted_change(path: &Path, busy_timeout: Duration) -> Result<()> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(error)?;
    prepare(&connection, busy_timeout).map_err(error)?;
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(error)
}

fn open_writing(path: &Path, busy_timeout: Duration) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(error)?;
    prepare(&connection, busy_timeout).map_err(error)?;
    if switch_to_wal(&connection, busy_timeout).map_err(error)? != "wal" {
        return Err(Error::internal(
            "this file system cannot hold a WAL database",
        ));
    }
    // FULL: acknowledged revocations are on disk. fullfsync: on macOS fsync alone is no barrier. A checkpoint every
    // 32 MiB: pages that many commits change are copied into the file once. secure_delete: the text of deleted rows is
    // overwritten, also in pages that become free; measured, a deletion takes no longer.
    connection
        .execute_batch(
            &format!("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
             PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 8192; PRAGMA journal_size_limit = {LARGEST_WAL};"),
        )
        .map_err(error)?;
    Ok(connection)
}

/// Retries while another process switches too: SQLite does not apply the busy time-out here.
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

pub(super) fn open_reading(path: &Path) -> Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(error)?;
    prepare(&connection, Duration::from_secs(5)).map_err(error)?;
    Ok(connection)
}

/// Opens a file that no process writes: SQLite takes no lock and ignores a log.
pub(super) fn open_unchanged(path: &Path) -> Result<Connection> {
    let path = std::path::absolute(path).map_err(Error::internal)?;
    let mut uri = url::Url::from_file_path(path)
        .map_err(|()| Error::internal("this path cannot be written as a URL"))?;
    uri.set_query(Some("immutable=1"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(uri.as_str(), flags).map_err(error)?;
    prepare(&connection, Duration::ZERO).map_err(error)?;
    Ok(connection)
}

/// The settings of every connection. No memory map: an I/O error would be a signal instead of an error. Plans do not
/// depend on values: else SQLite prepares a statement anew for each other `LIMIT`, which took a quarter of a list's time.
pub(super) fn prepare(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;",
    )
}

/// A reason in words, for the operator.
pub fn explain(reason: UnavailableReason) -> &'static str {
    match reason {
        UnavailableReason::DatabaseDamaged => {
            "this file is damaged or no SQLite database, and was left as it is; restore a backup, or choose another path"
        }
        UnavailableReason::DatabaseBusy => {
            "another process holds this file for longer than database.busy_timeout"
        }
        UnavailableReason::DiskFull => "there is no space left",
        UnavailableReason::DatabaseReadOnly | UnavailableReason::DatabaseUnopenable => {
            "this file or its folder cannot be opened for writing"
        }
        UnavailableReason::DatabaseUnreachable => "the server cannot be reached",
        UnavailableReason::DatabaseIoFailure => {
            "this file cannot be read or written: the disk or the file system fails"
        }
        UnavailableReason::DatabaseReplaced => {
            "this file was removed or replaced while it is open; restart the server"
        }
        other => other.code(),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::store::sqlite::SCHEMA_VERSION;
    use crate::store::sqlite::readers::Readers;

    const NO_TIME: Duration = Duration::ZERO;

    fn settings(folder: &Path) -> config::Database {
        let settings = config::Settings::for_env(config::Environment::Test).unwrap();
        config::Database {
            path: folder.join("cloakroom.db"),
            ..settings.database
        }
    }

    fn pragma(connection: &Connection, name: &str) -> i64 {
        connection
            .pragma_query_value(None, name, |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn each_connection_has_the_settings_of_its_use() {
        let folder = tempfile::tempdir().unwrap();
        let settings = config::Database {
            busy_timeout: Duration::from_millis(1234),
            ..settings(folder.path())
        };
        place::create(&settings.path).unwrap();
        let writing = open_writing(&settings.path, settings.busy_timeout).unwrap();
        let readers = Readers::open(&settings, 1).unwrap();
        let reader = readers.get().unwrap();
        for connection in [&writing, &*reader] {
            assert_eq!(pragma(connection, "busy_timeout"), 1234);
            assert_eq!(pragma(connection, "trusted_schema"), 0);
            assert_eq!(pragma(connection, "mmap_size"), 0);
            assert_eq!(pragma(connection, "temp_store"), 2);
        }
        assert_eq!(pragma(&writing, "synchronous"), 2);
        assert_eq!(pragma(&writing, "foreign_keys"), 1);
        assert_eq!(pragma(&writing, "secure_delete"), 1);
        assert_eq!(pragma(&writing, "journal_size_limit"), 64 << 20);
        assert_eq!(pragma(&reader, "query_only"), 1);
    }

    #[test]
    fn the_page_cache_grows_with_the_file_within_limits() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        let gibibyte = 1 << 30;
        for (cache, file, mebibytes) in [
            (0, 0, 16),
            (0, gibibyte / 2, 32),
            (0, 100 * gibibyte, 48),
            (5, 100 * gibibyte, 5),
        ] {
            settings.cache = cache;
            assert_eq!(settings.cache_of_reader(1, file), mebibytes * 1024);
        }
    }

    #[test]
    fn a_statement_is_not_prepared_anew_for_another_limit() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let (writing, _) = open_current(&settings, IfMissing::Create).unwrap();
        let readers = Readers::open(&settings, 1).unwrap();
        for connection in [&writing, &*readers.get().unwrap()] {
            let sql =
                "SELECT id FROM projects WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
            let mut statement = connection.prepare(sql).unwrap();
            for limit in [1, 2, 1] {
                let mut rows = statement.query((1, i64::MAX, limit)).unwrap();
                assert!(rows.next().unwrap().is_none());
            }
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        }
    }

    #[test]
    fn a_switch_to_wal_waits_for_others_up_to_the_time_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloakroom.db");
        let connection = Connection::open(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        other
            .execute_batch("CREATE TABLE theirs (id INTEGER); BEGIN IMMEDIATE")
            .unwrap();
        for time_out in [NO_TIME, Duration::from_millis(50)] {
            let started = Instant::now();
            let refusal = switch_to_wal(&connection, time_out).unwrap_err();
            assert_eq!(refusal.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
            assert!(started.elapsed() >= time_out);
        }
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(switch_to_wal(&connection, NO_TIME).unwrap(), "wal");
    }

    #[test]
    fn a_missing_folder_is_created_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/one/cloakroom.db");
        place::create(&path).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
    }

    #[test]
    fn an_upgrade_reports_the_version_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        assert_eq!(upgrade(&settings).unwrap(), 0);
        assert_eq!(upgrade(&settings).unwrap(), SCHEMA_VERSION);
    }
}
