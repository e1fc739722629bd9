//! The PostgreSQL engine: threads that own one session each, behind one queue.
//!
//! Writes are SERIALIZABLE and tried again when others were in their way: each behaves as if it were alone, as on SQLite.
//! Counters are READ COMMITTED, since all clients of a network change one row: see [`Database::count`].
//!
//! [`Database::count`]: crate::store::Database::count

mod client;
mod feed;
mod jobs;
mod migrate;
mod moving;
mod objects;
mod pipeline;
mod queue;
mod session;
mod target;
#[cfg(any(test, feature = "testing"))]
pub(super) mod test_schema;
#[cfg(test)]
mod tests;
mod threads;

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use super::content::Content;
use super::engine::{LookUp, Reader, Transaction};
use super::revocation_list::RevocationList;
use super::sqlite::IfMissing;
use crate::config;
use crate::domain::clock::Clock;
use crate::domain::error::{Error, Result, UnavailableReason};
use feed::Feed;
use jobs::{Read, Write};
pub(super) use moving::{open_source, open_target};
use pipeline::Pipelines;
pub use queue::PostgresFigures;
use queue::{Job, Queue, Retries, unavailable};
pub(super) use session::Isolation;
use session::Session;
use target::Target;
use threads::{Connector, Sessions};

/// What messages call the URL of the server.
const SETTING: &str = "database.url";
/// How long a caller waits for an answer: longer than a statement may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a start waits for the server.
const START_PATIENCE: u32 = 30;

/// An open database.
#[derive(Debug)]
pub(super) struct Postgres {
    queue: Arc<Queue>,
    pipelines: Pipelines,
    feed: Arc<Feed>,
    retries: Arc<Retries>,
    /// Settings of the server with which acknowledged changes can be lost.
    risks: Vec<String>,
    threads: Vec<JoinHandle<()>>,
}

impl Postgres {
    /// Opens a database, with its schema migrated to this program's, and reads its revocations into the list.
    ///
    /// # Errors
    /// For the operator, naming the server.
    pub fn open(
        settings: &config::Database,
        url: &config::Secret,
        workers: usize,
        if_missing: IfMissing,
        list: Arc<RevocationList>,
        clock: Clock,
    ) -> Result<Self> {
        let sessions = sessions(settings, url)?;
        let count = settings.connection_count(workers);
        let feed = Arc::new(Feed::new(list, clock));
        // The client blocks, which is refused on the thread of a runtime.
        let risks = on_own_thread(|| {
            let first = open_first(&sessions, START_PATIENCE)?;
            let risks = prepare(&first, settings, if_missing)
                .map_err(|failure| named(&sessions.target, &failure))?;
            feed.read(&Reader::new(&first))?;
            Ok(risks)
        })?;
        let queue = Arc::new(Queue::new(count as usize));
        let pipelines = Pipelines::new(sessions.clone());
        let connector = || Connector::new(sessions.clone(), Arc::clone(&feed));
        let mut threads = Vec::new();
        for _ in 0..count {
            threads.push(threads::start(Arc::clone(&queue), connector())?);
        }
        threads::start_reading(Arc::clone(&queue), Arc::clone(&feed), connector())?;
        Ok(Self {
            queue,
            pipelines,
            feed,
            retries: Arc::default(),
            risks,
            threads,
        })
    }

    /// Logs settings of the server with which acknowledged changes can be lost.
    pub fn log_risks(&self) {
        for risk in &self.risks {
            tracing::warn!(
                setting = risk,
                "the database server may lose acknowledged changes"
            );
        }
    }

    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Read {
            work,
            answer: |outcome| drop(reply.send(outcome)),
        };
        self.wait(Box::new(job), answer).await
    }

    pub async fn look_up<T>(&self, asked: LookUp<T>) -> Result<Option<T>>
    where
        T: Send + 'static,
    {
        self.queue.check_outage()?;
        match self.pipelines.look_up(&asked).await {
            Some(answer) => answer,
            None => self.read(move |reader| reader.look_up(&asked)).await,
        }
    }

    pub async fn write<T, F>(&self, isolation: Isolation, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = self.writing(isolation, work, |outcome| drop(reply.send(outcome)));
        self.wait(job, answer).await
    }

    /// Reads on the calling thread, which waits.
    pub fn read_waiting<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = mpsc::sync_channel(1);
        let job = Read {
            work,
            answer: move |outcome| drop(reply.send(outcome)),
        };
        self.block(Box::new(job), &answer)
    }

    /// Writes on the calling thread, which waits.
    pub fn write_waiting<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = mpsc::sync_channel(1);
        let answer_by = move |outcome| drop(reply.send(outcome));
        let job = self.writing(Isolation::Serializable, work, answer_by);
        self.block(job, &answer)
    }

    /// Whether a session is open, as far as the threads know.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with the reason.
    pub fn check_outage(&self) -> Result<()> {
        self.queue.check_outage()
    }

    /// What the engine does and did.
    pub fn figures(&self) -> PostgresFigures {
        self.queue.figures(self.threads.len(), &self.retries)
    }

    /// Brings the list of revocations up to date.
    pub async fn read_revocations(&self) -> Result<()> {
        let feed = Arc::clone(&self.feed);
        self.read(move |reader| feed.read(reader)).await
    }

    fn writing<T, F, A>(&self, isolation: Isolation, work: F, answer: A) -> Box<dyn Job>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
        A: FnOnce(Result<T>) + Send + 'static,
    {
        Box::new(Write {
            work,
            answer,
            isolation,
            feed: Arc::clone(&self.feed),
            retries: Arc::clone(&self.retries),
        })
    }

    async fn wait<T>(&self, job: Box<dyn Job>, answer: oneshot::Receiver<Result<T>>) -> Result<T> {
        self.queue.push(job)?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(unavailable(UnavailableReason::DatabaseStopped)),
            // The server does not answer, though its machine does.
            Err(_) => Err(unavailable(UnavailableReason::DatabaseBusy)),
        }
    }

    fn block<T>(&self, job: Box<dyn Job>, answer: &mpsc::Receiver<Result<T>>) -> Result<T> {
        self.queue.push(job)?;
        let outcome = answer.recv_timeout(PATIENCE);
        outcome.unwrap_or_else(|_| Err(unavailable(UnavailableReason::DatabaseBusy)))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // Work may hold the last handle of the database; then this runs on a thread that cannot join itself.
            if thread.thread().id() != thread::current().id() && thread.join().is_err() {
                tracing::error!("a thread of the database had panicked");
            }
        }
        let Retries { repeated, given_up } = &*self.retries;
        let (repeated, given_up) = (repeated.get(), given_up.get());
        if repeated > 0 {
            tracing::info!(repeated, given_up, "transactions were in each other's way");
        }
    }
}

/// Creates the tables if they are missing, and migrates them; returns the version of before, 0 for an empty schema.
///
/// # Errors
/// As [`Postgres::open`].
pub(super) fn upgrade(settings: &config::Database, url: &config::Secret) -> Result<usize> {
    inspect(settings, url, |session| {
        migrate::check_server(session, settings.allow_untested)?;
        let before = migrate::migrate(session, IfMissing::Create)?;
        objects::check(&Reader::new(session))?;
        Ok(before)
    })
}

/// The version of the schema, 0 for an empty one.
///
/// # Errors
/// The server cannot be reached, or the schema is not this program's.
pub(super) fn schema_version(settings: &config::Database, url: &config::Secret) -> Result<usize> {
    inspect(settings, url, |session| {
        migrate::check_server(session, settings.allow_untested)?;
        migrate::version(session)
    })
}

/// What a look at a server finds.
pub struct Examined {
    /// The name of the server's program, with its version.
    pub program: String,
    /// The version of the schema, 0 for an empty one.
    pub schema_version: usize,
    /// Whether a current schema has all its tables, columns, indexes, constraints and triggers.
    pub completeness: Result<()>,
    /// Settings of the server with which acknowledged changes can be lost.
    pub risks: Vec<String>,
    /// What the database contains.
    pub content: Content,
}

/// Looks at a server; writes nothing.
///
/// # Errors
/// The server cannot be reached, or the schema is not this program's.
pub(super) fn examine(settings: &config::Database, url: &config::Secret) -> Result<Examined> {
    let sessions = sessions(settings, url)?;
    let session = open_first(&sessions, 0)?;
    let facts = migrate::check_server(&session, settings.allow_untested).and_then(|program| {
        Ok((
            program,
            migrate::version(&session)?,
            migrate::risks(&session)?,
        ))
    });
    let (program, schema_version, risks) =
        facts.map_err(|failure| named(&sessions.target, &failure))?;
    Ok(Examined {
        program,
        schema_version,
        completeness: objects::check(&Reader::new(&session)),
        risks,
        content: Content::new(session),
    })
}

/// Works on a session of its own.
fn inspect<T: Send>(
    settings: &config::Database,
    url: &config::Secret,
    work: impl FnOnce(&Session) -> Result<T> + Send,
) -> Result<T> {
    let sessions = sessions(settings, url)?;
    on_own_thread(|| {
        let session = open_first(&sessions, 0)?;
        work(&session).map_err(|failure| named(&sessions.target, &failure))
    })
}

/// Server and database of a URL, without user and password.
///
/// # Errors
/// The URL is malformed.
pub(super) fn describe(url: &config::Secret) -> Result<String> {
    Target::parse(SETTING, url.expose()).map(|target| target.describe())
}

fn sessions(settings: &config::Database, url: &config::Secret) -> Result<Sessions> {
    Ok(sessions_of(Target::parse(SETTING, url.expose())?, settings))
}

fn sessions_of(target: Target, settings: &config::Database) -> Sessions {
    Sessions {
        target,
        prepare: settings.prepare,
        lock_timeout: settings.busy_timeout,
        losses: Arc::default(),
    }
}

/// The first session. A start waits some seconds for a server that starts as well.
fn open_first(sessions: &Sessions, patience: u32) -> Result<Session> {
    let mut waited = 0;
    loop {
        let failure = match sessions.open() {
            Ok(session) => return Ok(session),
            Err(failure) => failure,
        };
        let reason = session::describe(&failure);
        let may_pass = session::may_pass(&failure);
        if !may_pass || waited >= patience {
            return Err(named(&sessions.target, &Error::internal(reason)));
        }
        let server = sessions.target.describe();
        tracing::warn!(server, reason, "waiting for the database");
        thread::sleep(Duration::from_secs(1));
        waited += 1;
    }
}

/// Returns the risks of the server's settings.
fn prepare(
    session: &Session,
    settings: &config::Database,
    if_missing: IfMissing,
) -> Result<Vec<String>> {
    migrate::check_server(session, settings.allow_untested)?;
    migrate::migrate(session, if_missing)?;
    objects::check(&Reader::new(session))?;
    session.batch(feed::ADOPT_RESTORED_ROWS)?;
    migrate::risks(session)
}

/// A failure for the operator.
fn named(target: &Target, failure: &Error) -> Error {
    let (setting, server) = (target.setting, target.describe());
    Error::internal(format!("{setting} {server}: {failure}"))
}

fn on_own_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let outcome = thread::scope(|scope| scope.spawn(work).join());
    outcome.unwrap_or_else(|_| Err(Error::internal("a thread of the database panicked")))
}
