//! The queue of jobs that the connection threads share.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::session::Session;
use crate::domain::error::{Error, Result, UnavailableReason};

/// Jobs beyond this many are refused: the server does not keep up.
const LENGTH: usize = 4096;

/// Work with its waiting caller.
pub(super) trait Job: Send {
    /// Does the work on a session and answers the caller.
    fn run(self: Box<Self>, session: &Session);
    /// Answers the caller: the work was not done.
    fn refuse(self: Box<Self>, failure: Error);
}

/// A bounded queue, whose jobs several threads take.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// A job was added, or the engine closed.
    has_job: Condvar,
    /// The engine closed: for threads that take no job.
    has_closed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Box<dyn Job>>,
    is_closed: bool,
    /// How many threads have a session.
    connected: usize,
    /// Why the last attempt of a thread failed, while no thread has a session.
    outage: Option<UnavailableReason>,
}

/// What a thread finds in the queue.
pub(super) enum Next {
    /// A job to do.
    Job(Box<dyn Job>),
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

impl Queue {
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
            return Err(unavailable(reason));
        }
        if state.jobs.len() >= LENGTH {
            return Err(unavailable(UnavailableReason::DatabaseBusy));
        }
        state.jobs.push_back(job);
        self.has_job.notify_one();
        Ok(())
    }

    /// Takes a job, and waits for one up to `patience`.
    pub fn next(&self, patience: Duration) -> Next {
        let mut state = self.state.lock();
        if state.jobs.is_empty() && !state.is_closed {
            self.has_job.wait_for(&mut state, patience);
        }
        match state.jobs.pop_front() {
            Some(job) => Next::Job(job),
            None if state.is_closed => Next::Closed,
            None => Next::Nothing,
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
    pub fn put_back(&self, job: Box<dyn Job>) {
        self.state.lock().jobs.push_front(job);
        self.has_job.notify_one();
    }

    /// Notes that a thread cannot connect. If no thread can, jobs are refused from now on, those that wait, too. Returns
    /// whether the outage begins.
    pub fn unreachable(&self, reason: UnavailableReason) -> bool {
        let mut state = self.state.lock();
        if state.connected > 0 {
            return false;
        }
        let waiting = std::mem::take(&mut state.jobs);
        let begins = state.outage.replace(reason).is_none();
        drop(state);
        for job in waiting {
            job.refuse(unavailable(reason));
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
        self.state.lock().is_closed = true;
        self.has_job.notify_all();
        self.has_closed.notify_all();
    }
}

pub(super) fn unavailable(reason: UnavailableReason) -> Error {
    Error::unavailable(reason, Duration::from_secs(1))
}
