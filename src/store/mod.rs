//! The store: one file per table in [`tables`], reached through [`Database::read`] and [`Database::write`].
//!
//! Store functions take a [`Reader`] when they read and a [`Transaction`] when they write, never a type of a database
//! library. Each SQL text is written once, in the subset that SQLite and PostgreSQL share: `$1` placeholders,
//! `RETURNING`, `ON CONFLICT`, times as parameters. See [`engine`] for what an engine implements.

mod completeness;
mod content;
mod engine;
mod moving;
mod postgres;
mod revocation_list;
mod sqlite;
mod tables;
mod value;

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::config;
use crate::crypto::key_ring::BaseNames;
use crate::domain::SessionId;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::error::{Error, Result, UnavailableReason};
pub use content::{Content, ForeignRows, Holdings};
pub use engine::{LookUp, Reader, Row, Transaction};
pub use moving::{MovedTable, Progress, Step, move_rows};
#[cfg(any(test, feature = "testing"))]
pub use postgres::test_schema::TestSchema;
pub use postgres::{Examined, PostgresFigures};
use postgres::{Isolation, Postgres};
use revocation_list::RevocationList;
use sqlite::Sqlite;
pub use sqlite::{
    BackupProgress, IfMissing, Inspection, LARGEST_WAL, Report, Restoring, SCHEMA_VERSION,
    SqliteFigures, check_is_current, explain, integrity,
};
pub use tables::{
    api_keys, audit_chain, audit_events, identities, identity_link_requests, key_bases,
    known_devices, mail_codes, outbox, passkeys, passwords, pending_sign_ins, projects,
    provider_sign_ins, recovery_codes, refresh_tokens, revocations, sessions, throttles,
    totp_factors, used_challenges, users,
};
pub use value::{Column, Value};

/// How long a successful write counts for [`Database::ready`]: more frequent probes cost no disk.
const PROBE_TTL: Duration = Duration::from_secs(1);

/// The refusal of a node whose key base is not that of the others.
pub const FOREIGN_KEY_BASE: &str = "secrets.key_base is not the key base of this database: set the one of the other \
    nodes, or list it in secrets.previous to replace it; if it is lost or was leaked, run `cloakroom secret adopt`";

/// How often [`Closing::wait`] looks.
const CLOSING_INTERVAL: Duration = Duration::from_millis(5);

/// A handle on the database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: Engine,
    revocations: Arc<RevocationList>,
    /// When [`Database::ready`] last wrote, in milliseconds since 1970.
    probed_at: AtomicI64,
    /// For [`Closing`]. The last field: dropped when the engine is closed.
    open: Arc<()>,
}

/// What the database does and did, as far as this process knows.
#[derive(Debug)]
pub struct Figures {
    /// Whether it is known to be reachable and sound.
    pub is_up: bool,
    /// Of the engine.
    pub engine: EngineFigures,
    /// Sessions with revoked access tokens, in memory.
    pub revoked_sessions: usize,
    /// How long ago the table of revoked access tokens was read.
    pub revocations_age: Duration,
}

/// Of either engine.
#[derive(Debug)]
pub enum EngineFigures {
    /// A file.
    Sqlite(SqliteFigures),
    /// A server.
    Postgres(PostgresFigures),
}

/// The engines.
#[derive(Debug)]
enum Engine {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

impl Database {
    /// Opens the file, or the database of `database.url`, and migrates its schema; may create it (a file: 0600, in a 0700
    /// folder). It waits on the calling thread.
    ///
    /// # Errors
    /// A database that is damaged, of another program or of a newer Cloakroom is refused and left as it is.
    pub fn open(
        settings: &config::Database,
        workers: usize,
        if_missing: IfMissing,
        clock: Clock,
    ) -> Result<Self> {
        let revocations = Arc::new(RevocationList::new(clock.clone()));
        let list = Arc::clone(&revocations);
        let engine = match &settings.url {
            None => {
                let engine = Sqlite::open(settings, workers, if_missing, list)?;
                engine.read(|reader| revocations.load(reader))?;
                Engine::Sqlite(engine)
            }
            Some(url) => Engine::Postgres(Box::new(Postgres::open(
                settings, url, workers, if_missing, list, clock,
            )?)),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                engine,
                revocations,
                probed_at: AtomicI64::new(i64::MIN),
                open: Arc::default(),
            }),
        })
    }

    /// Reads, on SQLite at once and on the calling thread: a look-up takes microseconds and readers never wait. Each
    /// statement sees the state at its own start, so what must be consistent is one statement.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.read(work),
            Engine::Postgres(engine) => engine.read(work).await,
        }
    }

    /// Answers a look-up. On PostgreSQL many of one thread wait for their answers at the same time, on its own connection.
    pub async fn look_up<T>(&self, asked: LookUp<T>) -> Result<Option<T>>
    where
        T: Send + 'static,
    {
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.read(|reader| reader.look_up(&asked)),
            Engine::Postgres(engine) => engine.look_up(asked).await,
        }
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
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.write(work).await,
            Engine::Postgres(engine) => engine.write(Isolation::Serializable, work).await,
        }
    }

    /// Writes counters: as [`Self::write`], but on PostgreSQL each statement sees what was committed before it. Its
    /// transactions wait for each other at a row that both change, instead of one failing. So `work` decides by what its
    /// statements return, not by what it read before.
    pub async fn count<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.write(work).await,
            Engine::Postgres(engine) => engine.write(Isolation::ReadCommitted, work).await,
        }
    }

    /// How many rows a write of many changes at once, so that other writers do not wait for it long. Fewer writes are
    /// better: on SQLite each empties the page caches of the connections for reads. On PostgreSQL a long one meets others
    /// that change its rows, and runs again.
    pub fn batch(&self) -> usize {
        match &self.shared.engine {
            Engine::Sqlite(_) => 4_000,
            Engine::Postgres(_) => 500,
        }
    }

    /// Records the key bases of a server that starts, by their names. Returns since when each previous one signs nothing,
    /// in their order; `None` for one that is still to sign.
    ///
    /// It waits on the calling thread, for a start, and writes only after a change.
    ///
    /// # Errors
    /// Those of reading and writing. Where nodes share the database, also bases that others do not have.
    pub fn record_key_bases(
        &self,
        names: &BaseNames,
        now: Timestamp,
    ) -> Result<Vec<Option<Timestamp>>> {
        let asked = names.clone();
        let read = move |reader: &Reader<'_>| key_bases::recorded(reader, &asked, now);
        let known = match &self.shared.engine {
            Engine::Sqlite(engine) => engine.read(read)?,
            Engine::Postgres(engine) => engine.read_waiting(read)?,
        };
        if let Some(times) = known {
            return Ok(times);
        }
        let names = names.clone();
        match &self.shared.engine {
            // The servers of a file are of one machine and find one base there. Another one replaces it.
            Engine::Sqlite(engine) => engine.write_waiting(move |tx| {
                if key_bases::are_foreign(tx, &names, now)? {
                    key_bases::retire_foreign(tx, &names, now)?;
                }
                key_bases::record(tx, &names, now)
            }),
            Engine::Postgres(engine) => {
                engine.write_waiting(move |tx| match key_bases::are_foreign(tx, &names, now)? {
                    true => Err(Error::internal(FOREIGN_KEY_BASE)),
                    false => key_bases::record(tx, &names, now),
                })
            }
        }
    }

    /// Refuses the key bases of a command that signs, as those of a node that starts. It reads.
    ///
    /// # Errors
    /// Those of reading. Where nodes share the database, also bases that others do not have.
    pub async fn check_key_bases(&self, names: &BaseNames, now: Timestamp) -> Result<()> {
        let Engine::Postgres(engine) = &self.shared.engine else {
            return Ok(());
        };
        let names = names.clone();
        let are_foreign = move |reader: &Reader<'_>| key_bases::are_foreign(reader, &names, now);
        match engine.read(are_foreign).await? {
            true => Err(Error::internal(FOREIGN_KEY_BASE)),
            false => Ok(()),
        }
    }

    /// Whether the database is sound and accepts writes, for `/ready`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with the reason.
    pub async fn ready(&self, now: Timestamp) -> Result<()> {
        match &self.shared.engine {
            Engine::Sqlite(engine) if engine.is_damaged() => {
                return Err(Error::unavailable(
                    UnavailableReason::DatabaseDamaged,
                    Duration::from_secs(60),
                ));
            }
            Engine::Sqlite(_) => {}
            Engine::Postgres(engine) => engine.check_outage()?,
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

    /// What the database does and did. Nothing is asked of it.
    pub fn figures(&self) -> Figures {
        let (revoked_sessions, revocations_age) = self.shared.revocations.figures();
        let (is_up, engine) = match &self.shared.engine {
            Engine::Sqlite(engine) => {
                let is_up = !engine.is_damaged() && engine.check_files().is_ok();
                (is_up, EngineFigures::Sqlite(engine.figures()))
            }
            Engine::Postgres(engine) => {
                let is_up = engine.check_outage().is_ok();
                (is_up, EngineFigures::Postgres(engine.figures()))
            }
        };
        Figures {
            is_up,
            engine,
            revoked_sessions,
            revocations_age,
        }
    }

    /// Whether an access token was revoked before it expires, alone or with its session.
    ///
    /// The answer comes from a list in memory. Revocations by other processes are at most 200 ms old, or on SQLite a second
    /// while another thread's reading of the table is slow.
    pub async fn is_revoked(
        &self,
        session: SessionId,
        jti: &str,
        issued_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let revocations = &self.shared.revocations;
        match &self.shared.engine {
            Engine::Sqlite(engine) => {
                if let Some(poll) = revocations.poll_due() {
                    engine.read(|reader| poll.run(reader, now))?;
                }
            }
            Engine::Postgres(engine) if revocations.is_outdated() => {
                engine.read_revocations().await?;
            }
            Engine::Postgres(_) => {}
        }
        Ok(revocations.contains(session, jti, issued_at))
    }

    /// Starts a check of the whole file on its own thread. Damage is logged and fails [`Self::ready`]. A server checks its
    /// pages by itself; of it, settings with which it can lose changes are logged.
    pub fn check_in_background(&self) {
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.check_in_background(),
            Engine::Postgres(engine) => engine.log_risks(),
        }
    }

    /// Whether the path still leads to the open files, where there are any; what is at fault is logged once.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: they were removed or replaced.
    pub fn check_files(&self) -> Result<()> {
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.check_files(),
            Engine::Postgres(_) => Ok(()),
        }
    }

    /// A way to wait for the end of this database, which is no handle on it.
    pub fn closing(&self) -> Closing {
        Closing(Arc::downgrade(&self.shared.open))
    }

    /// The path of the file; `None` for a database on a server.
    pub fn path(&self) -> Option<&Path> {
        match &self.shared.engine {
            Engine::Sqlite(engine) => Some(engine.path()),
            Engine::Postgres(_) => None,
        }
    }
}

/// See [`Database::closing`].
#[derive(Debug)]
pub struct Closing(Weak<()>);

impl Closing {
    /// Waits until the last handle is dropped and the database closed; `false` if that takes longer than `longest`.
    pub async fn wait(&self, longest: Duration) -> bool {
        let closed = async {
            while self.0.strong_count() > 0 {
                sleep(CLOSING_INTERVAL).await;
            }
        };
        timeout(longest, closed).await.is_ok()
    }
}

/// Creates the database if it is missing and migrates its schema; returns the version that it had, 0 for a new one.
///
/// # Errors
/// As [`Database::open`].
pub fn upgrade(settings: &config::Database) -> Result<usize> {
    match &settings.url {
        None => sqlite::upgrade(settings),
        Some(url) => postgres::upgrade(settings, url),
    }
}

/// What to do instead of [`back_up`] where the database is on a server.
const BACKED_UP_BY_SERVER: &str = "this database is on a PostgreSQL server, which has tools for backups: pg_dump, \
    pg_basebackup or continuous archiving";

/// Writes a verified copy of the file to `target`, beside a server that uses it; returns its size in bytes. It waits on the
/// calling thread.
///
/// # Errors
/// For the operator: the target exists or cannot be written, or the copy is damaged. Nothing is left then.
pub fn back_up(settings: &config::Database, target: &Path, report: Report<'_>) -> Result<u64> {
    match &settings.url {
        None => sqlite::back_up(settings, target, report),
        Some(_) => Err(Error::internal(BACKED_UP_BY_SERVER)),
    }
}

/// What to do instead of [`start_restore`] where the database is on a server.
const RESTORED_BY_SERVER: &str = "this database is on a PostgreSQL server: restore it by pg_restore or its archive, then run \
    `cloakroom after-restore`";

/// Copies a backup beside the file of the settings, and verifies it. It waits on the calling thread.
///
/// # Errors
/// For the operator: the backup cannot be used, there is a database already and `replaces` is not set, or a process has
/// it open. Nothing is left then.
pub fn start_restore(
    settings: &config::Database,
    backup: &Path,
    replaces: bool,
    report: &mut dyn FnMut(BackupProgress),
) -> Result<Restoring> {
    match &settings.url {
        None => Restoring::start(settings, backup, replaces, report),
        Some(_) => Err(Error::internal(RESTORED_BY_SERVER)),
    }
}

/// The version of the schema, 0 where there is none; nothing is created or written.
///
/// # Errors
/// It cannot be read, or is not this program's. The message names the database.
pub fn schema_version(settings: &config::Database) -> Result<usize> {
    let Some(url) = &settings.url else {
        let inspected = Inspection::open(&settings.path).and_then(|file| file.schema_version());
        return inspected.map_err(|failure| sqlite::named(&settings.path, &failure));
    };
    postgres::schema_version(settings, url)
}

/// Looks at the server of `database.url`; writes nothing.
///
/// # Errors
/// It cannot be reached or used; the message names it.
pub fn examine_server(settings: &config::Database, url: &config::Secret) -> Result<Examined> {
    postgres::examine(settings, url)
}

/// The database of these settings in words, without a password: the path of the file, or server and name.
pub fn describe(settings: &config::Database) -> String {
    match &settings.url {
        None => settings.path.display().to_string(),
        Some(url) => postgres::describe(url).unwrap_or_else(|failure| failure.to_string()),
    }
}

#[cfg(test)]
mod conformance;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Settings};

    #[tokio::test]
    async fn closing_is_waited_for_until_the_last_handle_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::for_env(Environment::Test).unwrap().database;
        settings.path = folder.path().join("cloakroom.db");
        let database = Database::open(&settings, 1, IfMissing::Create, Clock::System).unwrap();
        let closing = database.closing();
        let other = database.clone();
        drop(database);
        assert!(!closing.wait(Duration::ZERO).await);
        let dropped = std::thread::spawn(move || drop(other));
        assert!(closing.wait(Duration::from_secs(60)).await);
        assert!(!folder.path().join("cloakroom.db-wal").exists());
        dropped.join().unwrap();
    }
}
