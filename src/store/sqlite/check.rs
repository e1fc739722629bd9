//! Checks a file for damage: in the background after the start, and in full for `cloakroom doctor`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::open::open_reading;
use super::statement::error;
use crate::domain::error::{Error, Result, UnavailableReason};

/// Checks a file on its own thread; damage is logged and noted in `damaged`.
pub(super) fn start(path: PathBuf, damaged: Arc<AtomicBool>) {
    let check = move || {
        // This reads the whole file: requests come first.
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
    };
    if let Err(error) = std::thread::Builder::new()
        .name("quick-check".into())
        .spawn(check)
    {
        tracing::error!(%error, "the check of the database file could not start");
    }
}

/// All damage that SQLite finds in a file; empty when it is sound.
///
/// # Errors
/// The file cannot be opened or read at all.
pub fn integrity(path: &Path) -> Result<Vec<String>> {
    let mut found = findings(path, "PRAGMA integrity_check")?;
    if !found.is_empty() {
        // The next check could fail on the damage and hide these findings.
        return Ok(found);
    }
    let connection = open_reading(path)?;
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

fn findings(path: &Path, check: &str) -> Result<Vec<String>> {
    let connection = open_reading(path)?;
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
        rusqlite::Connection::open(&path).unwrap();
        // `abs` of the smallest integer is an error of its row.
        let failing = "SELECT abs(-9223372036854775807 - 1)";
        assert!(findings(&path, failing).is_err());
        let damage = format!("SELECT 'damage' UNION ALL {failing}");
        assert_eq!(findings(&path, &damage).unwrap(), ["damage"]);
    }

    #[test]
    fn rows_that_refer_to_missing_rows_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloakroom.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
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
