//! The writer: a thread that owns the writing connection.
//!
//! It takes all queued jobs, runs them in one `BEGIN IMMEDIATE`, commits once, notifies the subscriber, and only then
//! answers: one fsync serves many callers, and callers are answered after the commit. Jobs seldom fail, so a batch runs
//! without savepoints first. When a job fails, the batch is rolled back and runs again with each job under a savepoint,
//! so that only the failing one is undone. Another process on the same file waits at `BEGIN IMMEDIATE`, up to the busy
//! time-out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::place::OpenFiles;
use super::statement::error;
use crate::domain::clock::Clock;
use crate::domain::error::{Error, Result, UnavailableReason};
use crate::metrics::{Counter, Histogram};
use crate::store::engine::{AfterCommit, Reader, Transaction};

/// Jobs beyond this many are refused: the disk does not keep up.
const QUEUE: usize = 4096;
/// The most jobs of one commit, so that the first does not wait for the last too long.
const BATCH: usize = 256;

/// What the writer did.
#[derive(Debug)]
pub(super) struct WriterCounts {
    /// Jobs of each commit.
    pub batches: Histogram,
    /// How long each took, from the first statement to the last.
    pub durations: Histogram,
    /// Commits that failed.
    pub failed: Counter,
    /// Jobs that found the queue full.
    pub refused: Counter,
}

impl Default for WriterCounts {
    fn default() -> Self {
        Self {
            batches: Histogram::new(&[1, 2, 4, 8, 16, 32, 64, 128, BATCH as u64]),
            durations: Histogram::new(Histogram::DURATIONS),
            failed: Counter::default(),
            refused: Counter::default(),
        }
    }
}

/// A handle on the writing thread. Dropping it lets the thread finish queued jobs and end.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<WriterCounts>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        subscriber: Arc<dyn AfterCommit>,
        files: Arc<OpenFiles>,
    ) -> Result<Self> {
        let (jobs, waiting) = sync_channel(QUEUE);
        let counts = Arc::<WriterCounts>::default();
        let counting = Arc::clone(&counts);
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || run(&connection, &*subscriber, &files, &waiting, &counting))
            .map_err(Error::internal)?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
            counts,
        })
    }

    pub(super) fn counts(&self) -> &WriterCounts {
        &self.counts
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let answer = self.enqueue(work)?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// The same on the calling thread, which waits.
    pub(super) fn write_waiting<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let answer = self.enqueue(work)?;
        // On a thread of its own: tokio refuses to block one that runs a runtime.
        let waiting = std::thread::Builder::new()
            .spawn(move || answer.blocking_recv())
            .map_err(Error::internal)?;
        match waiting.join() {
            Ok(Ok(outcome)) => outcome,
            _ => Err(stopped()),
        }
    }

    fn enqueue<T, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T>>>
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
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => {
                self.counts.refused.increment();
                let reason = UnavailableReason::DatabaseBusy;
                Err(Error::unavailable(reason, Duration::from_secs(1)))
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
        // Work may hold the last handle of the database; then this runs on the writer thread, which cannot join itself.
        if thread.thread().id() != thread::current().id() && thread.join().is_err() {
            tracing::error!("the writer had panicked");
        }
    }
}

fn stopped() -> Error {
    Error::unavailable(UnavailableReason::DatabaseStopped, Duration::from_secs(5))
}

/// Work with its waiting caller, of any result type.
trait Job: Send {
    /// Does the work and stores its outcome; returns whether the changes are to be committed.
    fn run(&mut self, transaction: &Transaction<'_>) -> bool;
    /// Answers the caller with the outcome.
    fn answer(self: Box<Self>);
    /// Answers the caller with a failure: nothing was committed.
    fn refuse(self: Box<Self>, failure: Error);
}

struct Pending<T, F> {
    /// Dropped before the caller is answered: it may hold a handle of the database, and if that is the last one, a program
    /// that ends after the answer leaves a write-ahead log behind.
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
        drop(self.work);
        // Without a caller the change stands all the same.
        let _ = self.reply.send(outcome);
    }

    fn refuse(self: Box<Self>, failure: Error) {
        // The job's own failure says more than the batch's. A refusal may rest on changes that were undone.
        let outcome = match self.outcome {
            Some(Err(own @ (Error::Unavailable { .. } | Error::Internal(_)))) => own,
            _ => failure,
        };
        drop(self.work);
        let _ = self.reply.send(Err(outcome));
    }
}

fn run(
    connection: &Connection,
    subscriber: &dyn AfterCommit,
    files: &OpenFiles,
    waiting: &Receiver<Box<dyn Job>>,
    counts: &WriterCounts,
) {
    let mut batch: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH);
    while let Ok(first) = waiting.recv() {
        batch.push(first);
        batch.extend(waiting.try_iter().take(BATCH - 1));
        let started = Clock::System.monotonic();
        let outcome = files.check().and_then(|()| commit(connection, &mut batch));
        let took = Clock::System.monotonic().saturating_duration_since(started);
        match outcome {
            Ok(()) => {
                counts.batches.observe(batch.len() as u64);
                counts.durations.observe_duration(took);
                subscriber.committed(&Reader::new(connection));
                batch.drain(..).for_each(Job::answer);
            }
            Err(failure) => {
                // The changes may be on disk all the same.
                subscriber.commit_failed();
                counts.failed.increment();
                tracing::error!(%failure, jobs = batch.len(), "a commit failed");
                batch.drain(..).for_each(|job| job.refuse(copy(&failure)));
            }
        }
    }
}

/// All jobs in one transaction. An error means that none of them happened.
fn commit(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    let step = |sql| {
        let mut statement = connection.prepare_cached(sql).map_err(error)?;
        statement.execute([]).map(drop).map_err(error)
    };
    let transaction = Transaction::new(connection);
    let mut all = || {
        step("BEGIN IMMEDIATE")?;
        if batch.iter_mut().all(|job| job.run(&transaction)) {
            return step("COMMIT");
        }
        // A full disk rolls the transaction back by itself.
        if !connection.is_autocommit() {
            step("ROLLBACK")?;
        }
        step("BEGIN IMMEDIATE")?;
        for job in batch.iter_mut() {
            step("SAVEPOINT job")?;
            if !job.run(&transaction) {
                if connection.is_autocommit() {
                    return Err(Error::unavailable(
                        UnavailableReason::DatabaseIoFailure,
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

/// One failed commit has many callers.
fn copy(failure: &Error) -> Error {
    match failure {
        Error::Unavailable {
            reason,
            retry_after,
        } => Error::unavailable(*reason, *retry_after),
        other => Error::internal(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::FutureExt;

    use super::*;
    use crate::store::sqlite::in_memory;

    #[derive(Debug)]
    struct NoSubscriber;

    impl AfterCommit for NoSubscriber {
        fn committed(&self, _: &Reader<'_>) {}
        fn commit_failed(&self) {}
    }

    #[actix_web::test]
    async fn a_job_that_fails_with_its_batch_keeps_its_reason() {
        let writer = Writer::start(
            in_memory(),
            Arc::new(NoSubscriber),
            Arc::new(OpenFiles::none()),
        )
        .unwrap();
        // As on a full disk: SQLite ends the transaction, so that the commit fails for all its jobs.
        let full = writer.write(|tx| -> Result<()> {
            tx.execute("ROLLBACK", &[])?;
            Err(Error::unavailable(
                UnavailableReason::DiskFull,
                Duration::from_secs(30),
            ))
        });
        let Err(Error::Unavailable { reason, .. }) = full.await else {
            panic!("the job succeeded");
        };
        assert_eq!(reason, UnavailableReason::DiskFull);
    }

    /// Notes when it is dropped whether its caller has been answered.
    struct Handle {
        answer: oneshot::Receiver<Result<()>>,
        is_late: Arc<AtomicBool>,
    }

    impl Drop for Handle {
        fn drop(&mut self) {
            let is_answered = self.answer.try_recv().is_ok();
            self.is_late.store(is_answered, Ordering::Relaxed);
        }
    }

    #[test]
    fn work_is_dropped_before_its_caller_is_answered() {
        for finish in [
            |job: Box<dyn Job>| job.answer(),
            |job: Box<dyn Job>| {
                job.refuse(stopped());
            },
        ] {
            let (reply, answer) = oneshot::channel();
            let is_late = Arc::new(AtomicBool::new(true));
            let handle = Handle {
                answer,
                is_late: is_late.clone(),
            };
            finish(Box::new(Pending {
                work: move |_: &Transaction<'_>| {
                    let _held = &handle;
                    Ok(())
                },
                outcome: None,
                reply,
            }));
            assert!(!is_late.load(Ordering::Relaxed));
        }
    }

    #[actix_web::test]
    async fn dropping_the_writer_finishes_what_was_queued() {
        let writer = Writer::start(
            in_memory(),
            Arc::new(NoSubscriber),
            Arc::new(OpenFiles::none()),
        )
        .unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let mut queued = Box::pin(writer.write({
            let done = Arc::clone(&done);
            move |_| {
                // Longer than a drop that does not wait.
                thread::sleep(Duration::from_millis(50));
                done.store(true, Ordering::SeqCst);
                Ok(())
            }
        }));
        assert!(queued.as_mut().now_or_never().is_none());
        drop(queued);
        drop(writer);
        assert!(done.load(Ordering::SeqCst));
    }
}
