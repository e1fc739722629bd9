//! A backup: a copy of the file as it is at one moment, made beside the server.
//!
//! `VACUUM INTO` reads one snapshot and never waits for writers, nor they for it. SQLite's backup interface would start
//! again at each write of another process. The write-ahead log grows while the copy is made, since a snapshot needs its
//! pages.
//!
//! # Threats
//! - a copy that is cut off, by a kill or a full disk: it is named as a backup once it is on disk and was read back whole
//! - two backups of one name: the second is refused, and none replaces another
//! - other users of the machine: the copy is readable by its owner only
//! - requests that wait for the copy: it is made on a thread of the lowest priority, and flushed in small parts

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use thread_priority::{ThreadPriority, set_current_thread_priority};

use super::inspect::Inspection;
use super::open::{in_words, open_reading};
use super::statement::error;
use crate::config;
use crate::crypto::private_file::Draft;
use crate::domain::error::{Error, Result};

/// How often progress is reported.
const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// How far a backup is, in bytes. The last bytes may be missing: a copy has no free pages.
#[derive(Clone, Copy, Debug)]
pub struct BackupProgress {
    /// How many were written.
    pub done: u64,
    /// How many the file has.
    pub of: u64,
}

/// Takes how far a backup is, and breaks it off.
pub type Report<'r> = &'r mut dyn FnMut(BackupProgress) -> ControlFlow<()>;

/// Writes a verified copy of the file to `target`; returns its size in bytes. It waits on the calling thread.
///
/// # Errors
/// For the operator, naming the file: the target exists or cannot be written, or the copy is damaged.
pub(in crate::store) fn back_up(
    settings: &config::Database,
    target: &Path,
    report: Report<'_>,
) -> Result<u64> {
    refuse_existing(target)?;
    Inspection::open(&settings.path)
        .and_then(|file| file.schema_version())
        .map_err(|failure| super::named(&settings.path, &failure))?;
    let mut write = || {
        let draft = Draft::start_long(&partial(target)).map_err(Error::internal)?;
        copy(&settings.path, draft.aside(), report)?;
        check(draft.aside())?;
        let size = fs::metadata(draft.aside()).map_err(Error::internal)?.len();
        draft.put_first_at(target).map_err(Error::internal)?;
        Ok(size)
    };
    write().map_err(|failure| of_backup(target, &failure))
}

/// # Errors
/// There is something at the path of a new backup.
fn refuse_existing(target: &Path) -> Result<()> {
    match fs::symlink_metadata(target) {
        Ok(_) => {
            let present = Error::internal("this file exists already; name a new one");
            Err(of_backup(target, &present))
        }
        Err(_) => Ok(()),
    }
}

/// Beside the backup, under a name that says what it is.
fn partial(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

fn copy(source: &Path, target: &Path, report: Report<'_>) -> Result<()> {
    let connection = open_reading(&super::place::resolve(source)?)?;
    let of = used_bytes(&connection)?;
    let name = target.to_str();
    let name = name.ok_or_else(|| Error::internal("this path is not valid UTF-8"))?;
    let written = fs::File::open(target).map_err(Error::internal)?;
    let interrupt = connection.get_interrupt_handle();
    let (ended, waiting) = channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            // It reads and writes the whole file: requests come first.
            let _ = set_current_thread_priority(ThreadPriority::Min);
            let copied = connection.execute("VACUUM INTO $1", [name]);
            // The other end waits for it.
            let _ = ended.send(copied.map(drop).map_err(error));
        });
        loop {
            match waiting.recv_timeout(REPORT_INTERVAL) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Timeout) => {
                    // In small parts: commits of the server would wait while all of it is flushed at once. The end of the
                    // backup flushes again, and reports failures.
                    let _ = written.sync_data();
                    let done = fs::metadata(target).map_or(0, |found| found.len().min(of));
                    if report(BackupProgress { done, of }).is_break() {
                        interrupt.interrupt();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::internal("the copying thread panicked"));
                }
            }
        }
    })
}

/// The size of the file without its free pages.
fn used_bytes(connection: &Connection) -> Result<u64> {
    let bytes: i64 = connection
        .query_row(
            "SELECT (c.page_count - f.freelist_count) * s.page_size
             FROM pragma_page_count c, pragma_freelist_count f, pragma_page_size s",
            [],
            |row| row.get(0),
        )
        .map_err(error)?;
    Ok(bytes.unsigned_abs())
}

/// # Errors
/// The copy is not what was to be copied.
pub(super) fn check(copy: &Path) -> Result<()> {
    let file = Inspection::open_backup(copy)?;
    let findings = file.integrity()?;
    let mut lines = findings.iter().flat_map(|text| text.lines());
    if let Some(first) = lines.find(|line| !line.starts_with("***")) {
        return Err(Error::internal(format!(
            "the copy is damaged ({first}): run `cloakroom doctor`"
        )));
    }
    file.schema_version().map(drop)
}

/// A failure for the operator, naming the backup.
pub(super) fn of_backup(path: &Path, failure: &Error) -> Error {
    Error::internal(format!("backup {}: {}", path.display(), in_words(failure)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Settings};
    use crate::store::sqlite::open::{IfMissing, open_current};

    fn database(folder: &Path) -> (config::Database, Connection) {
        let settings = config::Database {
            path: folder.join("cloakroom.db"),
            ..Settings::for_env(Environment::Test).unwrap().database
        };
        let (connection, _) = open_current(&settings, IfMissing::Create).unwrap();
        (settings, connection)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_damaged_file_leaves_no_backup() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (settings, connection) = database(folder.path());
        connection
            .execute_batch(
                "PRAGMA foreign_keys = OFF;
                 INSERT INTO projects (user_id, title, created_at, updated_at) VALUES (7, 'x', 1, 1)",
            )
            .unwrap();
        let target = other.path().join("backup.db");
        let refusal = back_up(&settings, &target, &mut |_| ControlFlow::Continue(()))
            .unwrap_err()
            .to_string();
        assert!(
            refusal.contains("the copy is damaged (1 rows refer to missing rows)"),
            "{refusal}"
        );
        assert!(names(other.path()).is_empty());
    }

    #[test]
    fn rows_of_an_open_transaction_are_not_in_a_backup() {
        let folder = tempfile::tempdir().unwrap();
        let (settings, connection) = database(folder.path());
        let insert =
            "INSERT INTO users (email_address, created_at, updated_at) VALUES ('a@b.c', 1, 1)";
        connection
            .execute_batch(&format!("BEGIN IMMEDIATE; {insert}"))
            .unwrap();
        let target = folder.path().join("backup.db");
        back_up(&settings, &target, &mut |_| ControlFlow::Continue(())).unwrap();
        connection.execute_batch("COMMIT").unwrap();
        let backup = Connection::open(&target).unwrap();
        let users: i64 = backup
            .query_row("SELECT count(*) FROM users", [], |row| row.get(0))
            .unwrap();
        assert_eq!(users, 0);
    }
}
