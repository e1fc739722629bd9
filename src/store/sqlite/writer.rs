//! The one writer: a thread that owns the writing connection.
//!
//! It takes every job that waits, runs them in one `BEGIN IMMEDIATE`, commits once, and only then answers them all.
//! One fsync serves many callers, and nobody is told of a change that is not on disk, or that the list of ended access
//! tokens does not know of. A batch is first run as it is, since jobs seldom fail; when one does, the batch is undone and
//! run again with each job under a savepoint of its own, so that the failing one undoes itself alone. Another process
//! on the same file waits for its turn at `BEGIN IMMEDIATE`, for as long as the busy time-out allows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::fault;
use crate::domain::error::{Error, Result};
use crate::store::revocations::RevocationList;
use crate::store::{Reader, Transaction};

/// More than this many waiting jobs are refused: the disk does not keep up.
const QUEUE: usize = 4096;
/// The most jobs of one commit, so that the first does not wait for the last too long.
const BATCH: usize = 256;

/// A handle on the writing thread; dropping it lets the thread finish what waits and end.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, ended: Arc<RevocationList>) -> Result<Self> {
        let (jobs, waiting) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || run(&connection, &ended, &waiting))
            .map_err(Error::internal)?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Pending {
            work,
            outcome: None,
            reply,
        });
        let Some(jobs) = &self.jobs else {
            return Err(stopped());
        };
        match jobs.try_send(job) {
            Ok(()) => answer.await.unwrap_or_else(|_| Err(stopped())),
            Err(TrySendError::Full(_)) => {
                Err(Error::unavailable("database_busy", Duration::from_secs(1)))
            }
            Err(TrySendError::Disconnected(_)) => Err(stopped()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        let Some(thread) = self.thread.take() else {
            return;
        };
        // Work may hold the last handle of the database; its end is then the writer's own, which cannot wait for itself.
        if thread.thread().id() != thread::current().id() && thread.join().is_err() {
            tracing::error!("the writer had panicked");
        }
    }
}

fn stopped() -> Error {
    Error::unavailable("database_stopped", Duration::from_secs(5))
}

/// Work with its caller waiting, whatever it gives.
trait Job: Send {
    /// Does the work and keeps its outcome; says whether it is to be kept.
    fn run(&mut self, transaction: &Transaction<'_>) -> bool;
    /// Hands over the outcome.
    fn answer(self: Box<Self>);
    /// Hands over a failure in its place: nothing was committed.
    fn refuse(self: Box<Self>, failure: Error);
}

struct Pending<T, F> {
    work: F,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: FnMut(&Transaction<'_>) -> Result<T> + Send,
{
    fn run(&mut self, transaction: &Transaction<'_>) -> bool {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(transaction)))
            .unwrap_or_else(|_| Err(Error::internal("a transaction panicked")));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>) {
        let outcome = self.outcome.unwrap_or_else(|| Err(stopped()));
        // A caller that has gone away is told nothing, and its change stands.
        let _ = self.reply.send(outcome);
    }

    fn refuse(self: Box<Self>, failure: Error) {
        // Its own fault tells the caller more than the batch's; a refusal may rest on what is undone now.
        let outcome = match self.outcome {
            Some(Err(own @ (Error::Unavailable { .. } | Error::Internal(_)))) => own,
            _ => failure,
        };
        let _ = self.reply.send(Err(outcome));
    }
}

fn run(connection: &Connection, ended: &RevocationList, waiting: &Receiver<Box<dyn Job>>) {
    let mut batch: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH);
    while let Ok(first) = waiting.recv() {
        batch.push(first);
        batch.extend(waiting.try_iter().take(BATCH - 1));
        match commit(connection, &mut batch) {
            Ok(()) => {
                ended.refresh(&Reader { connection });
                batch.drain(..).for_each(|job| job.answer());
            }
            Err(failure) => {
                // It may have reached the disk all the same.
                ended.invalidate();
                tracing::error!(%failure, jobs = batch.len(), "a commit failed");
                batch.drain(..).for_each(|job| job.refuse(copy(&failure)));
            }
        }
    }
}

/// All jobs in one transaction. An error means that none of them happened.
fn commit(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    let step = |sql| {
        let mut statement = connection.prepare_cached(sql).map_err(fault)?;
        statement.execute([]).map(drop).map_err(fault)
    };
    let transaction = Transaction::new(Reader { connection });
    let mut all = || {
        step("BEGIN IMMEDIATE")?;
        if batch.iter_mut().all(|job| job.run(&transaction)) {
            return step("COMMIT");
        }
        // A full disk may have ended the transaction by itself.
        if !connection.is_autocommit() {
            step("ROLLBACK")?;
        }
        step("BEGIN IMMEDIATE")?;
        for job in batch.iter_mut() {
            step("SAVEPOINT job")?;
            if !job.run(&transaction) {
                if connection.is_autocommit() {
                    return Err(Error::unavailable(
                        "database_io_failure",
                        Duration::from_secs(30),
                    ));
                }
                step("ROLLBACK TO job")?;
            }
            step("RELEASE job")?;
        }
        step("COMMIT")
    };
    let outcome = all();
    if outcome.is_err() && !connection.is_autocommit() {
        step("ROLLBACK")?;
    }
    outcome
}

/// A failed commit is one failure with many callers.
fn copy(failure: &Error) -> Error {
    match failure {
        Error::Unavailable {
            reason,
            retry_after,
        } => Error::unavailable(reason, *retry_after),
        other => Error::internal(other.to_string()),
    }
}
