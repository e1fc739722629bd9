//! What the connection threads do: reads, and transactions that are tried again when others were in their way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::feed::Feed;
use super::queue::{Job, Retries, unavailable};
use super::session::{Failure, Isolation, Session};
use crate::domain::error::{Error, Result, UnavailableReason};
use crate::store::engine::{Count, Reader, Transaction};

/// The most attempts of a transaction.
const ATTEMPTS: u32 = 10;
/// More attempts are logged, although the last one succeeded.
const FEW_ATTEMPTS: u32 = 4;
/// The longest pause before an attempt, in milliseconds.
const LONGEST_PAUSE: u64 = 64;

/// Reads, each statement by itself.
pub(super) struct Read<F, A> {
    pub work: F,
    pub answer: A,
}

/// A transaction.
pub(super) struct Write<F, A> {
    pub work: F,
    pub answer: A,
    pub isolation: Isolation,
    pub feed: Arc<Feed>,
    pub retries: Arc<Retries>,
}

/// How one attempt of a transaction ended.
enum Attempt<T> {
    /// With what is to be counted now.
    Committed(T, Vec<Count>),
    /// Nothing happened.
    Failed(Error),
    /// Nothing happened, and the next attempt may succeed.
    InTheWay(Failure, Error),
    /// The changes may be on disk.
    Unknown(Error),
}

impl<T, F, A> Job for Read<F, A>
where
    F: FnOnce(&Reader<'_>) -> Result<T> + Send,
    A: FnOnce(Result<T>) + Send,
{
    fn writes(&self) -> bool {
        false
    }

    fn run(self: Box<Self>, session: &Session) {
        let Self { work, answer } = *self;
        answer(caught(|| work(&Reader::new(session))));
    }

    fn refuse(self: Box<Self>, failure: Error) {
        (self.answer)(Err(failure));
    }
}

impl<T, F, A> Job for Write<F, A>
where
    F: FnMut(&Transaction<'_>) -> Result<T> + Send,
    A: FnOnce(Result<T>) + Send,
{
    fn writes(&self) -> bool {
        true
    }

    fn run(self: Box<Self>, session: &Session) {
        let Self {
            mut work,
            answer,
            isolation,
            feed,
            retries,
        } = *self;
        answer(transact(session, isolation, &feed, &retries, &mut work));
    }

    fn refuse(self: Box<Self>, failure: Error) {
        (self.answer)(Err(failure));
    }
}

/// Runs a transaction until it commits, fails by itself, or was in the way of others too often.
fn transact<T>(
    session: &Session,
    isolation: Isolation,
    feed: &Feed,
    retries: &Retries,
    work: &mut impl FnMut(&Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let mut has_met_duplicate = false;
    for attempt in 1..=ATTEMPTS {
        match try_once(session, isolation, work) {
            Attempt::Committed(value, counts) => {
                for count in counts {
                    // Each statement by itself, so that it waits for a row no longer than it must.
                    if let Err(failure) = count(&Transaction::new(session)) {
                        tracing::debug!(%failure, "counters stay as they were");
                    }
                }
                // Counters revoke nothing.
                if isolation == Isolation::Serializable {
                    feed.read_after_commit(&Reader::new(session));
                }
                if attempt > FEW_ATTEMPTS {
                    tracing::warn!(
                        attempts = attempt,
                        "a transaction was often in the way of others"
                    );
                }
                return Ok(value);
            }
            Attempt::Failed(failure) => return Err(failure),
            Attempt::Unknown(failure) => {
                feed.commit_failed();
                return Err(failure);
            }
            Attempt::InTheWay(Failure::Duplicate, failure) if has_met_duplicate => {
                return Err(failure);
            }
            Attempt::InTheWay(kind, failure) => {
                has_met_duplicate |= kind == Failure::Duplicate;
                if attempt < ATTEMPTS {
                    retries.repeated.increment();
                }
                tracing::debug!(attempt, %failure, "a transaction was in the way of others");
                thread::sleep(pause(attempt));
            }
        }
    }
    retries.given_up.increment();
    tracing::warn!(
        attempts = ATTEMPTS,
        "a transaction was in the way of others too often"
    );
    Err(unavailable(UnavailableReason::DatabaseBusy))
}

fn try_once<T>(
    session: &Session,
    isolation: Isolation,
    work: &mut impl FnMut(&Transaction<'_>) -> Result<T>,
) -> Attempt<T> {
    session.take_failure();
    if let Err(failure) = session.begin(isolation) {
        return Attempt::Failed(failure);
    }
    let tx = Transaction::new(session);
    let outcome = caught(|| work(&tx));
    // After a failed statement the server undoes the transaction, whatever the work made of it.
    match (outcome, session.take_failure()) {
        (Ok(value), None) => match session.commit() {
            Ok(()) => Attempt::Committed(value, tx.into_counts()),
            Err(failure) => match session.take_failure() {
                Some(kind @ Failure::Conflict) => Attempt::InTheWay(kind, failure),
                _ => Attempt::Unknown(failure),
            },
        },
        (outcome, kind) => {
            session.roll_back();
            let failed = || Error::internal("a statement of the transaction failed");
            let failure = outcome.err().unwrap_or_else(failed);
            match kind {
                Some(kind @ (Failure::Conflict | Failure::Duplicate)) => {
                    Attempt::InTheWay(kind, failure)
                }
                _ => Attempt::Failed(failure),
            }
        }
    }
}

/// A random pause, so that transactions that met do not meet again.
fn pause(attempt: u32) -> Duration {
    let longest = 1_u64
        .checked_shl(attempt)
        .unwrap_or(LONGEST_PAUSE)
        .min(LONGEST_PAUSE);
    Duration::from_millis(rand::random_range(1..=longest))
}

/// A panic of the work is an error: the thread goes on.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::internal("a transaction panicked")))
}
