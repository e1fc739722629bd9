//! The SQLite engine: connections that read, and one thread that writes.
//!
//! Readers never wait in WAL mode, and a look-up takes a few microseconds, less than a hand-over to another
//! thread: it runs on the calling thread. Writers would wait for each other, so one thread owns the connection
//! that writes: see [`writer`].

mod backup;
mod check;
mod inspect;
mod migrate;
mod moving;
mod open;
mod place;
mod readers;
mod restore;
mod statement;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::engine::{AfterCommit, Reader, Transaction};
use crate::config;
use crate::domain::error::Result;
use crate::metrics::Distribution;
pub(super) use backup::back_up;
pub use backup::{BackupProgress, Report};
use check::Check;
pub use check::integrity;
pub use inspect::Inspection;
pub use migrate::{SCHEMA_VERSION, check_is_current};
pub(super) use moving::{open_source, open_target, tables};
pub use open::{IfMissing, LARGEST_WAL, explain};
pub(super) use open::{named, upgrade};
use place::OpenFiles;
use readers::Readers;
pub use restore::Restoring;
use writer::Writer;

/// What the engine does and did.
#[derive(Debug)]
pub struct SqliteFigures {
    /// How many writes each commit had.
    pub batches: Distribution,
    /// How long each took.
    pub commits: Distribution,
    /// Commits that failed.
    pub failed: u64,
    /// Writes that found the queue full.
    pub refused: u64,
    /// Of the file.
    pub file_bytes: u64,
    /// Of the write-ahead log.
    pub log_bytes: u64,
}

/// An open database file.
#[derive(Debug)]
pub(super) struct Sqlite {
    /// Dropped first: see [`Check`].
    check: Mutex<Option<Check>>,
    path: PathBuf,
    readers: Readers,
    writer: Writer,
    files: Arc<OpenFiles>,
    is_damaged: Arc<AtomicBool>,
}

impl Sqlite {
    /// Opens a file, with its schema migrated to this program's.
    pub(super) fn open(
        settings: &config::Database,
        workers: usize,
        if_missing: IfMissing,
        subscriber: Arc<dyn AfterCommit>,
    ) -> Result<Self> {
        let (connection, _) = open::open_current(settings, if_missing)?;
        let path = place::resolve(&settings.path)?;
        let files = Arc::new(OpenFiles::of(&settings.path, &path)?);
        Ok(Self {
            check: Mutex::default(),
            readers: Readers::open(settings, workers)?,
            writer: Writer::start(connection, subscriber, Arc::clone(&files))?,
            files,
            is_damaged: Arc::default(),
            path,
        })
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T>) -> Result<T> {
        let connection = self.readers.get()?;
        work(&Reader::new(&*connection))
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.write(work).await
    }

    /// The same on the calling thread, which waits.
    pub(super) fn write_waiting<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.write_waiting(work)
    }

    /// What the engine does and did.
    pub(super) fn figures(&self) -> SqliteFigures {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        let counts = self.writer.counts();
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        SqliteFigures {
            batches: counts.batches.get(),
            commits: counts.durations.get(),
            failed: counts.failed.get(),
            refused: counts.refused.get(),
            file_bytes: size(&self.path),
            log_bytes: size(Path::new(&log)),
        }
    }

    /// Whether a check found the file damaged.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }

    /// Whether the path still leads to the open files.
    ///
    /// # Errors
    /// The database was replaced, which is logged once.
    pub(super) fn check_files(&self) -> Result<()> {
        self.files.check()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts a check of the whole file on a thread of the lowest priority; damage is logged and remembered.
    pub(super) fn check_in_background(&self) {
        *self.check.lock() = Check::start(&self.path, Arc::clone(&self.is_damaged));
    }
}

/// A connection to an empty database in memory.
#[cfg(test)]
pub(super) fn in_memory() -> rusqlite::Connection {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    migrate::migrate(&mut connection).unwrap();
    connection
}
