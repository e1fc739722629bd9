//! The store: one file a table, and two doors, [`Database::read`] and [`Database::write`].
//!
//! Store functions take a [`Reader`] when they read and a [`Transaction`] when they write, never a type of
//! the database library, and their SQL keeps to what SQLite and PostgreSQL share: `$1` placeholders,
//! `RETURNING`, `ON CONFLICT`, times handed in. A second engine implements the two doors, [`Reader`],
//! [`Transaction`] and [`Row`]; no SQL is written twice.

mod sqlite;
mod tables;
mod value;

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::model::SessionId;
use sqlite::Sqlite;
pub use sqlite::inspect::Inspection;
pub use sqlite::migrate::SCHEMA_VERSION;
pub use sqlite::{LARGEST_WAL, explain, integrity, upgrade};
pub use tables::{
    api_keys, known_devices, outbox, projects, refresh_tokens, revocations, sessions, throttles,
    users,
};
pub use value::{Column, Row, Value};

/// How long a write proves that writing works: whoever asks more often than that costs no disk.
const PROBE_TTL: Duration = Duration::from_secs(1);

/// A handle on the one database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    engine: Arc<Sqlite>,
}

impl Database {
    /// Opens the file, creating it (0600, in a 0700 folder) when it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// A file that is damaged, of another program or of a newer Cloakroom is refused and left as it is.
    pub fn open(settings: &config::Database, workers: usize) -> Result<Self> {
        Ok(Self {
            engine: Arc::new(Sqlite::open(settings, workers)?),
        })
    }

    /// Reads. It runs at once, where it is called: a look-up takes microseconds and readers never wait. Each
    /// statement sees the state at its own start, so what belongs together is one statement. `async` is for an engine
    /// behind a network; this one never waits here.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        self.engine.read(work)
    }

    /// Writes: all of `work` or, when it fails, nothing of it. When this returns, the change is on disk.
    ///
    /// `work` may be run again after a fault, so it has no effect but through the transaction; it holds no
    /// bcrypt, mail or network, since every other writer waits for it. A refusal that a client can cause is an `Ok`
    /// value: an `Err` undoes the whole batch, which is then run again with each job under a savepoint.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.engine.write(work).await
    }

    /// Whether the file is sound and takes writes, for `/ready`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with the reason: `database_damaged`, `database_busy`, `disk_full`, …
    pub async fn ready(&self, now: Timestamp) -> Result<()> {
        if self.engine.is_damaged() {
            return Err(Error::unavailable(
                "database_damaged",
                Duration::from_secs(60),
            ));
        }
        if self.engine.has_beaten_between(now - PROBE_TTL, now) {
            return Ok(());
        }
        self.write(move |tx| tables::write_probe::beat(tx, now))
            .await?;
        self.engine.note_beat(now);
        Ok(())
    }

    /// Whether an access token was ended before its time, alone or with its session.
    /// It asks a list in memory; what another process ends stands in it a fifth of a second later, or, while one thread's
    /// look at the table is slow, a second later at the latest.
    pub fn is_revoked(&self, session: SessionId, jti: &str, now: Timestamp) -> Result<bool> {
        self.engine.is_revoked(session, jti, now)
    }

    /// Starts a check of the whole file on a thread of its own; what it finds is logged and fails [`Self::ready`].
    pub fn check_in_background(&self) {
        self.engine.check_in_background();
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        self.engine.path()
    }
}

/// What reading functions work on.
pub struct Reader<'c> {
    connection: &'c rusqlite::Connection,
}

impl Reader<'_> {
    /// The first row, if there is one.
    pub fn one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        sqlite::query(self.connection, sql, values, read, 1).map(|rows| rows.into_iter().next())
    }

    /// Every row.
    pub fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        sqlite::query(self.connection, sql, values, read, usize::MAX)
    }
}

/// What writing functions work on; it can read as well, and sees its own changes.
pub struct Transaction<'c> {
    reader: Reader<'c>,
    mails_enqueued: Cell<u64>,
}

impl<'c> std::ops::Deref for Transaction<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Self::Target {
        &self.reader
    }
}

impl<'c> Transaction<'c> {
    fn new(reader: Reader<'c>) -> Self {
        Self {
            reader,
            mails_enqueued: Cell::new(0),
        }
    }

    /// How many mails were added to the outbox. Jobs of one batch share a transaction: each compares before and after.
    pub fn mails_enqueued(&self) -> u64 {
        self.mails_enqueued.get()
    }

    fn note_enqueued_mail(&self) {
        self.mails_enqueued.set(self.mails_enqueued.get() + 1);
    }
}

impl Transaction<'_> {
    /// Runs a statement; gives how many rows it changed.
    pub fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize> {
        sqlite::execute(self.reader.connection, sql, values)
    }
}

#[cfg(test)]
mod tests;
