//! Checks a file for damage: in the background after the start, and in full for `cloakroom doctor`.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};

use super::open::open_reading;
use super::statement::error;
use crate::domain::error::{Error, Result, UnavailableReason};

/// How often a check that is stopped is interrupted.
const INTERRUPT_INTERVAL: Duration = Duration::from_millis(5);

/// A check on its own thread. Dropping it stops the check: while its connection is open, no other one removes the
/// write-ahead log when it closes, and a copy of the file alone would lack the last changes.
pub(super) struct Check {
    interrupt: InterruptHandle,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Check {
    /// Starts one; damage is logged and noted in `damaged`. `None`, logged, if it cannot start.
    pub(super) fn start(path: &Path, damaged: Arc<AtomicBool>) -> Option<Self> {
        match Self::start_with("PRAGMA quick_check(20)", path, &damaged) {
            Ok(check) => Some(check),
            Err(error) => {
                report(Err(error), &damaged);
                None
            }
        }
    }

    fn start_with(check: &'static str, path: &Path, damaged: &Arc<AtomicBool>) -> Result<Self> {
        let connection = open_reading(path)?;
        let interrupt = connection.get_interrupt_handle();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (damaged, stopped) = (Arc::clone(damaged), Arc::clone(&is_stopped));
        let work = move || {
            // This reads the whole file: requests come first.
            let _ =
                thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Min);
            let findings = findings(&connection, check);
            drop(connection);
            if !stopped.load(Ordering::Relaxed) {
                report(findings, &damaged);
            }
        };
        let thread = thread::Builder::new().name("quick-check".into());
        Ok(Self {
            interrupt,
            is_stopped,
            thread: Some(thread.spawn(work).map_err(Error::internal)?),
        })
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Check")
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else {
            return;
        };
        // Again: an interrupt before the statement runs has no effect.
        while !thread.is_finished() {
            self.interrupt.interrupt();
            thread::sleep(INTERRUPT_INTERVAL);
        }
    }
}

fn report(findings: Result<Vec<String>>, damaged: &AtomicBool) {
    match findings {
        Ok(findings) if findings.is_empty() => tracing::debug!("the database file is sound"),
        Ok(findings) => {
            damaged.store(true, Ordering::Relaxed);
            tracing::error!(
                findings = findings.len(),
                "the database file is damaged: run `cloakroom doctor`"
            );
        }
        Err(error) => {
            // A lack of descriptors or memory is no damage.
            let damage = matches!(
                error,
                Error::Unavailable {
                    reason: UnavailableReason::DatabaseDamaged,
                    ..
                }
            );
            damaged.store(damage, Ordering::Relaxed);
            tracing::error!(%error, "the database file cannot be checked: run `cloakroom doctor`");
        }
    }
}

/// All damage that SQLite finds in a file; empty when it is sound.
///
/// # Errors
/// The file cannot be opened or read at all.
pub fn integrity(path: &Path) -> Result<Vec<String>> {
    integrity_of(&open_reading(path)?)
}

/// The same for an open file.
///
/// # Errors
/// The file cannot be read at all.
pub(super) fn integrity_of(connection: &Connection) -> Result<Vec<String>> {
    let mut found = findings(connection, "PRAGMA integrity_check")?;
    if !found.is_empty() {
        // The next check could fail on the damage and hide these findings.
        return Ok(found);
    }
    let orphans: i64 = connection
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .map_err(error)?;
    if orphans > 0 {
        found.push(format!("{orphans} rows refer to missing rows"));
    }
    Ok(found)
}

fn findings(connection: &Connection, check: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare(check).map_err(error)?;
    let mut rows = statement.query([]).map_err(error)?;
    let mut found = Vec::new();
    loop {
        match rows.next() {
            Ok(Some(row)) => found.push(row.get::<_, String>(0).map_err(error)?),
            Ok(None) => break,
            // The check itself may fail on damage: the findings so far count.
            Err(_) if !found.is_empty() => break,
            Err(failure) => return Err(error(failure)),
        }
    }
    found.retain(|finding| finding != "ok");
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_fails_reports_what_it_found_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloakroom.db");
        let connection = Connection::open(&path).unwrap();
        // `abs` of the smallest integer is an error of its row.
        let failing = "SELECT abs(-9223372036854775807 - 1)";
        assert!(findings(&connection, failing).is_err());
        let damage = format!("SELECT 'damage' UNION ALL {failing}");
        assert_eq!(findings(&connection, &damage).unwrap(), ["damage"]);
    }

    #[test]
    fn a_check_that_is_dropped_closes_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloakroom.db");
        let log = folder.path().join("cloakroom.db-wal");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE one (id)")
            .unwrap();
        let damaged = Arc::new(AtomicBool::new(false));
        let endless =
            "WITH RECURSIVE n (i) AS (SELECT count(*) FROM one UNION ALL SELECT i + 1 FROM n)
             SELECT max(i) FROM n";
        let check = Check::start_with(endless, &path, &damaged).unwrap();
        let is_reading = || {
            let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
            connection.query_row(checkpoint, [], |row| row.get::<_, bool>(0))
        };
        while !is_reading().unwrap() {
            thread::sleep(INTERRUPT_INTERVAL);
            connection.execute_batch("DELETE FROM one").unwrap();
            connection
                .execute_batch("INSERT INTO one VALUES (1)")
                .unwrap();
        }
        drop(check);
        drop(connection);
        assert!(!log.exists() && !damaged.load(Ordering::Relaxed));
    }

    #[test]
    fn rows_that_refer_to_missing_rows_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloakroom.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = OFF; CREATE TABLE one (id INTEGER PRIMARY KEY);
                 CREATE TABLE two (one INTEGER REFERENCES one (id)); INSERT INTO one VALUES (1);
                 INSERT INTO two VALUES (1)",
            )
            .unwrap();
        assert_eq!(integrity(&path).unwrap(), [""; 0]);
        connection
            .execute_batch("INSERT INTO two VALUES (2)")
            .unwrap();
        assert_eq!(integrity(&path).unwrap(), ["1 rows refer to missing rows"]);
    }
}
