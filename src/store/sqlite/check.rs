//! Whether a file is sound: in the background after the start, and in full for the doctor.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fault;
use super::open::open_reading;
use crate::domain::error::{Error, Result};

/// Checks a file on a thread of its own; damage is logged and noted in `damaged`.
pub(super) fn start(path: PathBuf, damaged: Arc<AtomicBool>) {
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
