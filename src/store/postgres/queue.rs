//! The queue of jobs that the connection threads share.
//!
//! # Threats
//! - a storm of writes that leaves no session for look-ups: a quarter of the threads never writes at the same time as the
//!   others, and jobs of one kind are refused without the other

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::session::Session;
use crate::domain::clock::Clock;
use crate::domain::error::{Error, Result, UnavailableReason};
use crate::metrics::{Counter, Distribution, Histogram};

/// Jobs of a kind beyond this many are refused: the server does not keep up.
const LENGTH: usize = 4096;

/// Work with its waiting caller.
pub(super) trait Job: Send {
    /// Whether it may hold locks, or wait for those of others.
    fn writes(&self) -> bool;
    /// Does the work on a session and answers the caller.
    fn run(self: Box<Self>, session: &Session);
    /// Answers the caller: the work was not done.
    fn refuse(self: Box<Self>, failure: Error);
}

/// A job of the queue, with its number in the order in which they came.
pub(super) struct Queued {
    number: u64,
    added_at: Instant,
    pub job: Box<dyn Job>,
}

/// A bounded queue, whose jobs several threads take.
pub(super) struct Queue {
    /// How many threads may write at a time.
    most_writing: usize,
    state: Mutex<State>,
    /// The engine closed: for threads that take no job.
    has_closed: Condvar,
    /// How long jobs waited for a thread.
    waits: Histogram,
    /// Jobs that were refused: the queue was full, or the server away.
    refused: Counter,
}

/// The state of the queue, and what went through it.
#[derive(Debug)]
pub struct PostgresFigures {
    /// Threads that may have a session.
    pub threads: usize,
    /// Threads that have one.
    pub connected: usize,
    /// Threads that wait for work.
    pub idle: usize,
    /// Reads that wait for a thread.
    pub waiting_reads: usize,
    /// Writes that wait for a thread.
    pub waiting_writes: usize,
    /// How long work waited for a thread.
    pub waits: Distribution,
    /// Work that was refused: the queue was full, or the server away.
    pub refused: u64,
    /// Attempts of transactions after the first.
    pub repeated: u64,
    /// Transactions that never succeeded.
    pub given_up: u64,
}

#[derive(Default)]
struct State {
    reads: VecDeque<Queued>,
    writes: VecDeque<Queued>,
    /// The threads that wait for a job. The last to come gets the next one: its session's memory is still in the caches of
    /// the processor, on this machine and the server's, while the sessions that a small load does not need rest.
    idle: Vec<Wake>,
    /// How many jobs were added.
    added: u64,
    /// How many threads write.
    writing: usize,
    is_closed: bool,
    /// How many threads have a session.
    connected: usize,
    /// Why the last attempt of a thread failed, while no thread has a session.
    outage: Option<UnavailableReason>,
}

/// Wakes one thread.
pub(super) type Wake = Arc<Condvar>;

/// How often transactions were in each other's way.
#[derive(Debug, Default)]
pub(super) struct Retries {
    /// Attempts after the first.
    pub repeated: Counter,
    /// Transactions that never succeeded.
    pub given_up: Counter,
}

/// What a thread finds in the queue.
pub(super) enum Next {
    /// A job to do.
    Job(Queued),
    /// Nothing came in time.
    Nothing,
    /// The engine is closed, and all jobs are done.
    Closed,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

impl State {
    fn jobs(&mut self, writes: bool) -> &mut VecDeque<Queued> {
        match writes {
            true => &mut self.writes,
            false => &mut self.reads,
        }
    }

    /// Wakes a thread, which looks for a job.
    fn wake_one(&mut self) {
        if let Some(wake) = self.idle.pop() {
            wake.notify_one();
        }
    }

    /// The next job that a thread may do.
    fn take(&mut self, most_writing: usize) -> Option<Queued> {
        let first = |jobs: &VecDeque<Queued>| jobs.front().map(|queued| queued.number);
        let may_write = self.writing < most_writing;
        let write = first(&self.writes).filter(|_| may_write);
        let writes = match (first(&self.reads), write) {
            (Some(read), Some(write)) => write < read,
            (_, write) => write.is_some(),
        };
        self.writing += usize::from(writes);
        self.jobs(writes).pop_front()
    }
}

impl Queue {
    /// A queue for this many threads.
    pub fn new(threads: usize) -> Self {
        let for_reads = (threads / 4).max(1);
        Self {
            most_writing: threads.saturating_sub(for_reads).max(1),
            state: Mutex::default(),
            has_closed: Condvar::default(),
            waits: Histogram::new(Histogram::DURATIONS),
            refused: Counter::default(),
        }
    }

    /// The state, without what the queue does not know.
    pub fn figures(&self, threads: usize, retries: &Retries) -> PostgresFigures {
        let state = self.state.lock();
        PostgresFigures {
            threads,
            connected: state.connected,
            idle: state.idle.len(),
            waiting_reads: state.reads.len(),
            waiting_writes: state.writes.len(),
            waits: self.waits.get(),
            refused: self.refused.get(),
            repeated: retries.repeated.get(),
            given_up: retries.given_up.get(),
        }
    }

    /// Adds a job.
    ///
    /// # Errors
    /// [`Error::Unavailable`] at once while the server is away, or when the queue is full.
    pub fn push(&self, job: Box<dyn Job>) -> Result<()> {
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(unavailable(UnavailableReason::DatabaseStopped));
        }
        if let Some(reason) = state.outage {
            self.refused.increment();
            return Err(unavailable(reason));
        }
        let number = state.added;
        let jobs = state.jobs(job.writes());
        if jobs.len() >= LENGTH {
            self.refused.increment();
            return Err(unavailable(UnavailableReason::DatabaseBusy));
        }
        jobs.push_back(Queued {
            number,
            added_at: Clock::System.monotonic(),
            job,
        });
        state.added += 1;
        state.wake_one();
        Ok(())
    }

    /// Takes a job for the thread that `wake` wakes, and waits for one up to `patience`. [`Self::finished`] follows a job
    /// that writes.
    pub fn next(&self, wake: &Wake, patience: Duration) -> Next {
        let mut state = self.state.lock();
        let mut has_waited = false;
        loop {
            if let Some(queued) = state.take(self.most_writing) {
                drop(state);
                let now = Clock::System.monotonic();
                let waited = now.saturating_duration_since(queued.added_at);
                self.waits.observe_duration(waited);
                return Next::Job(queued);
            }
            if state.is_closed {
                return Next::Closed;
            }
            if has_waited {
                return Next::Nothing;
            }
            state.idle.push(Arc::clone(wake));
            has_waited = wake.wait_for(&mut state, patience).timed_out();
            state.idle.retain(|idle| !Arc::ptr_eq(idle, wake));
        }
    }

    /// Notes that a thread has written: another may.
    pub fn finished(&self) {
        let mut state = self.state.lock();
        state.writing = state.writing.saturating_sub(1);
        if !state.writes.is_empty() {
            state.wake_one();
        }
    }

    /// Whether a thread has a session, or may get one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while the server is away.
    pub fn check_outage(&self) -> Result<()> {
        match self.state.lock().outage {
            Some(reason) => Err(unavailable(reason)),
            None => Ok(()),
        }
    }

    /// Notes that a thread has a session: an outage is over.
    pub fn connected(&self) {
        let mut state = self.state.lock();
        state.connected += 1;
        if state.outage.take().is_some() {
            tracing::info!("the database is back");
        }
    }

    /// Notes that a thread lost its session.
    pub fn disconnected(&self) {
        let mut state = self.state.lock();
        state.connected = state.connected.saturating_sub(1);
    }

    /// Takes a job back that was not begun.
    pub fn put_back(&self, queued: Queued) {
        let mut state = self.state.lock();
        let writes = queued.job.writes();
        state.writing = state.writing.saturating_sub(usize::from(writes));
        state.jobs(writes).push_front(queued);
        state.wake_one();
    }

    /// Notes that a thread cannot connect. If no thread can, jobs are refused from now on, those that wait, too. Returns
    /// whether the outage begins.
    pub fn unreachable(&self, reason: UnavailableReason) -> bool {
        let mut state = self.state.lock();
        if state.connected > 0 {
            return false;
        }
        let waiting = [
            std::mem::take(&mut state.reads),
            std::mem::take(&mut state.writes),
        ];
        let begins = state.outage.replace(reason).is_none();
        drop(state);
        for queued in waiting.into_iter().flatten() {
            queued.job.refuse(unavailable(reason));
        }
        begins
    }

    /// Waits, such as before another attempt to connect; `false` when the engine is closed.
    pub fn pause(&self, span: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.is_closed {
            self.has_closed.wait_for(&mut state, span);
        }
        !state.is_closed
    }

    /// Lets the threads finish the jobs and end.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        for wake in &state.idle {
            wake.notify_one();
        }
        drop(state);
        self.has_closed.notify_all();
    }
}

pub(super) fn unavailable(reason: UnavailableReason) -> Error {
    Error::unavailable(reason, Duration::from_secs(1))
}
