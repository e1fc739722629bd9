//! The store: one file per table in [`tables`], reached through [`Database::read`] and [`Database::write`].
//!
//! Store functions take a [`Reader`] when they read and a [`Transaction`] when they write, never a type of a database
//! library. Each SQL text is written once, in the subset that SQLite and PostgreSQL share: `$1` placeholders,
//! `RETURNING`, `ON CONFLICT`, times as parameters. See [`engine`] for what an engine implements.

mod engine;
mod revocation_list;
mod sqlite;
mod tables;
mod value;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::config;
use crate::domain::SessionId;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::error::{Error, Result, UnavailableReason};
pub use engine::{Reader, Row, Transaction};
use revocation_list::RevocationList;
use sqlite::Sqlite;
pub use sqlite::{
    ForeignRows, IfMissing, Inspection, LARGEST_WAL, SCHEMA_VERSION, explain, integrity, upgrade,
};
pub use tables::{
    api_keys, key_bases, known_devices, outbox, passwords, projects, refresh_tokens, revocations,
    sessions, throttles, users,
};
pub use value::{Column, Value};

/// How long a successful write counts for [`Database::ready`]: more frequent probes cost no disk.
const PROBE_TTL: Duration = Duration::from_secs(1);

/// A handle on the database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: Sqlite,
    revocations: Arc<RevocationList>,
    /// When [`Database::ready`] last wrote, in milliseconds since 1970.
    probed_at: AtomicI64,
}

impl Database {
    /// Opens the file and migrates its schema; may create it (0600, in a 0700 folder).
    ///
    /// # Errors
    /// A file that is damaged, of another program or of a newer Cloakroom is refused and left as it is.
    pub fn open(
        settings: &config::Database,
        workers: usize,
        if_missing: IfMissing,
        clock: Clock,
    ) -> Result<Self> {
        let revocations = Arc::new(RevocationList::new(clock));
        let subscriber = Arc::clone(&revocations);
        let engine = Sqlite::open(settings, workers, if_missing, subscriber)?;
        engine.read(|reader| revocations.load(reader))?;
        Ok(Self {
            shared: Arc::new(Shared {
                engine,
                revocations,
                probed_at: AtomicI64::new(i64::MIN),
            }),
        })
    }

    /// Reads, on SQLite at once and on the calling thread: a look-up takes microseconds and readers never wait. Each
    /// statement sees the state at its own start, so what must be consistent is one statement.
    #[expect(
        clippy::unused_async,
        reason = "an engine behind a network will wait here"
    )]
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        self.shared.engine.read(work)
    }

    /// Writes: all of `work` or, when it fails, nothing of it. When this returns, the change is on disk.
    ///
    /// `work` may run again after a fault, so it has no effect but through the transaction; it does no hashing, mail or
    /// network, since other writers wait for it. A refusal that a client can cause is an `Ok` value: an `Err` undoes
    /// the whole batch, which then runs again with each job under a savepoint.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.shared.engine.write(work).await
    }

    /// Since when each of these previous key bases signs nothing, by their names, in their order. The first call that
    /// names one records it; the current base signs.
    ///
    /// It waits on the calling thread, for a start, and writes only after a rotation.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub fn retire_key_bases(
        &self,
        current: &str,
        previous: &[String],
        now: Timestamp,
    ) -> Result<Vec<Timestamp>> {
        let known = self.shared.engine.read(|reader| {
            let times = previous
                .iter()
                .map(|name| key_bases::retired_at(reader, name));
            let times: Option<Vec<_>> = times.collect::<Result<_>>()?;
            let is_retired = key_bases::retired_at(reader, current)?.is_some();
            Ok(times.filter(|times| !is_retired && times.iter().all(|at| *at <= now)))
        })?;
        if let Some(times) = known {
            return Ok(times);
        }
        let (current, previous) = (current.to_owned(), previous.to_owned());
        self.shared.engine.write_waiting(move |tx| {
            key_bases::reinstate(tx, &current)?;
            let times = previous.iter().map(|name| key_bases::retire(tx, name, now));
            times.collect()
        })
    }

    /// Whether the database is sound and accepts writes, for `/ready`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with the reason.
    pub async fn ready(&self, now: Timestamp) -> Result<()> {
        if self.shared.engine.is_damaged() {
            return Err(Error::unavailable(
                UnavailableReason::DatabaseDamaged,
                Duration::from_secs(60),
            ));
        }
        self.check_files()?;
        // A probe later than `now` does not count: the clock was set back.
        let probed_at = Timestamp::from_millis(self.shared.probed_at.load(Ordering::Relaxed));
        if now - PROBE_TTL < probed_at && probed_at <= now {
            return Ok(());
        }
        self.write(move |tx| tables::write_probe::write(tx, now))
            .await?;
        self.shared
            .probed_at
            .store(now.as_millis(), Ordering::Relaxed);
        Ok(())
    }

    /// Whether an access token was revoked before it expires, alone or with its session.
    ///
    /// The answer comes from a list in memory. Revocations by other processes are at most 200 ms old, or a second while
    /// another thread's reading of the table is slow.
    #[expect(
        clippy::unused_async,
        reason = "an engine behind a network will wait here"
    )]
    pub async fn is_revoked(
        &self,
        session: SessionId,
        jti: &str,
        issued_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let revocations = &self.shared.revocations;
        if let Some(poll) = revocations.poll_due() {
            self.shared.engine.read(|reader| poll.run(reader, now))?;
        }
        Ok(revocations.contains(session, jti, issued_at))
    }

    /// Starts a check of the whole file on its own thread. Damage is logged and fails [`Self::ready`].
    pub fn check_in_background(&self) {
        self.shared.engine.check_in_background();
    }

    /// Whether the path still leads to the open files; what is at fault is logged once.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: they were removed or replaced.
    pub fn check_files(&self) -> Result<()> {
        self.shared.engine.check_files()
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        self.shared.engine.path()
    }
}

#[cfg(test)]
mod conformance;
