//! The connections that read.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rusqlite::{Connection, OpenFlags};

use super::open::prepare;
use super::statement::error;
use crate::config;
use crate::domain::error::{Error, Result, UnavailableReason};

/// How long a read waits for a connection: a read takes microseconds.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

thread_local! {
    /// The connection that this thread used last. What is freed in a cache returns to the memory of the thread that filled
    /// it: if two threads took turns, both would keep room for it.
    static LAST: Cell<usize> = const { Cell::new(0) };
}

/// Connections, each used by one thread at a time.
#[derive(Debug)]
pub(super) struct Readers {
    connections: Vec<Mutex<Connection>>,
    workers: usize,
}

impl Readers {
    pub(super) fn open(settings: &config::Database, workers: usize) -> Result<Self> {
        let size = std::fs::metadata(&settings.path).map_or(0, |file| file.len());
        let cache = settings.cache_of_reader(workers, size);
        let connections = (0..settings.reader_count(workers) as usize).map(|number| {
            // Another is seldom used, and its cache would stay full.
            let cache = (number < workers).then_some(cache);
            connect(&settings.path, settings.busy_timeout, cache).map(Mutex::new)
        });
        let connections: rusqlite::Result<Vec<_>> = connections.collect();
        Ok(Self {
            connections: connections.map_err(error)?,
            workers,
        })
    }

    /// The connection that this thread used last, or else the first that is free: so those beyond the number of workers are
    /// used only while all others are.
    ///
    /// # Errors
    /// [`UnavailableReason::DatabaseReadersExhausted`].
    pub(super) fn get(&self) -> Result<MutexGuard<'_, Connection>> {
        let all = [LAST.get()].into_iter().chain(0..self.connections.len());
        for at in all {
            if let Some(connection) = self.connections.get(at).and_then(Mutex::try_lock) {
                if at < self.workers {
                    LAST.set(at);
                }
                return Ok(connection);
            }
        }
        let first = self.connections.first();
        let waited = first.and_then(|connection| connection.try_lock_for(LONGEST_WAIT));
        waited.ok_or_else(|| {
            let reason = UnavailableReason::DatabaseReadersExhausted;
            Error::unavailable(reason, Duration::from_secs(1))
        })
    }
}

/// Opens a connection with a page cache of so many KiB, or of SQLite's default.
fn connect(
    path: &Path,
    busy_timeout: Duration,
    cache: Option<u32>,
) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection, busy_timeout)?;
    connection.execute_batch("PRAGMA query_only = ON")?;
    if let Some(cache) = cache {
        connection.execute_batch(&format!("PRAGMA cache_size = -{cache}"))?;
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::store::sqlite::open::{IfMissing, open_current};

    fn settings(folder: &Path) -> config::Database {
        let settings = config::Settings::for_env(config::Environment::Test).unwrap();
        let database = config::Database {
            path: folder.join("cloakroom.db"),
            ..settings.database
        };
        open_current(&database, IfMissing::Create).unwrap();
        database
    }

    fn cache_size(connection: &Connection) -> i64 {
        let value = connection.pragma_query_value(None, "cache_size", |row| row.get(0));
        value.unwrap()
    }

    #[test]
    fn workers_share_the_page_cache_and_maintenance_has_a_small_one() {
        let folder = tempfile::tempdir().unwrap();
        let settings = config::Database {
            cache: 30,
            ..settings(folder.path())
        };
        let readers = Readers::open(&settings, 3).unwrap();
        let held: Vec<_> = (0..4).map(|_| readers.get().unwrap()).collect();
        let sizes: Vec<i64> = held.iter().map(|reader| cache_size(reader)).collect();
        assert_eq!(sizes, [-10 * 1024, -10 * 1024, -10 * 1024, -2000]);
    }

    #[test]
    fn a_thread_reads_by_the_connection_that_it_used_last() {
        let folder = tempfile::tempdir().unwrap();
        let readers = Readers::open(&settings(folder.path()), 2).unwrap();
        let address = |reader: &Connection| std::ptr::from_ref(reader) as usize;
        let (first, step) = (readers.get().unwrap(), Barrier::new(2));
        let of_first = address(&first);
        std::thread::scope(|threads| {
            let other = threads.spawn(|| {
                let second = address(&readers.get().unwrap());
                step.wait();
                step.wait();
                (second, address(&readers.get().unwrap()))
            });
            step.wait();
            drop(first);
            step.wait();
            let (second, again) = other.join().unwrap();
            assert_ne!(second, of_first);
            assert_eq!(again, second);
        });
    }

    #[test]
    fn a_read_waits_for_a_connection_that_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let readers = Readers::open(&settings(folder.path()), 1).unwrap();
        let address = |reader: &Connection| std::ptr::from_ref(reader) as usize;
        let (first, second) = (readers.get().unwrap(), readers.get().unwrap());
        let of_first = address(&first);
        assert_ne!(address(&second), of_first);
        std::thread::scope(|threads| {
            let waiting = threads.spawn(|| address(&readers.get().unwrap()));
            drop(first);
            assert_eq!(waiting.join().unwrap(), of_first);
        });
    }
}
