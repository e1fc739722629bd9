//! A thread of the pool. It computes several hashes together, each in a lane of its own (see `bcrypt_lanes`): four
//! together take 1.3 times as long as one. A hash starts as soon as a lane is free and leaves when it is done, whatever
//! the costs of the others.

#![expect(
    clippy::disallowed_methods,
    reason = "measures hashes for `Retry-After`, and how long they waited"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bcrypt_lanes::Lanes;
use thread_priority::{ThreadPriority, set_current_thread_priority};
use tokio::sync::oneshot;

use super::input::{Input, Purpose};
use super::{Job, Outcome, Shared};
use crate::domain::error::{Error, Result};

/// Rounds between two checks of the queue: about a millisecond; a hash of cost 12 takes a quarter of a second.
const SLICE: u32 = 16;

pub(super) struct Worker {
    shared: Arc<Shared>,
    number: usize,
    lanes: Lanes<UnderWay>,
}

/// A hash in a lane.
struct UnderWay {
    purpose: Purpose,
    started: Instant,
    reply: oneshot::Sender<Result<Outcome>>,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, number: usize) -> Self {
        let lanes = Lanes::new(shared.lanes);
        Self {
            shared,
            number,
            lanes,
        }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        // If the system does not allow it, hashing competes with requests at equal priority.
        if let Ok(priority) = priority(self.shared.niceness).try_into() {
            let _ = set_current_thread_priority(ThreadPriority::Crossplatform(priority));
        }
        loop {
            // One job a turn: preparing it delays the hashes under way.
            let job = if self.lanes.is_empty() {
                let Some(job) = self.shared.wait_for_job() else {
                    return;
                };
                Some(job)
            } else {
                self.shared.one_more(self.number)
            };
            if let Some(job) = job {
                self.begin(job);
            }
            for (hash, output) in self.lanes.advance(SLICE) {
                let took = u64::try_from(hash.started.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.shared.last_hash_ms.store(took, Ordering::Relaxed);
                // Fails if the caller has gone.
                let _ = hash.reply.send(Ok(hash.purpose.outcome(&output)));
            }
            // Give up hashes whose callers have gone.
            self.lanes.retain(|hash| !hash.reply.is_closed());
            self.report_load(self.lanes.len());
        }
    }

    /// Starts a hash, or replies at once if there is nothing to compute.
    fn begin(&mut self, job: Job) {
        if job.reply.is_closed() {
            return;
        }
        self.shared.waits.observe_duration(job.queued.elapsed());
        // Reported before preparing, which may take a while: idle threads should take the next job.
        self.report_load(self.lanes.len() + 1);
        let input = catch_unwind(AssertUnwindSafe(|| (job.prepare)()))
            .unwrap_or_else(|_| Err(Error::internal("hashing panicked")));
        match input {
            Ok(Input {
                purpose,
                cost,
                salt,
                password,
            }) => {
                let hash = UnderWay {
                    purpose,
                    started: Instant::now(),
                    reply: job.reply,
                };
                #[expect(clippy::expect_used, reason = "`Input` has a checked cost")]
                self.lanes
                    .start(hash, cost, &salt, &password)
                    .expect("a checked cost");
            }
            Err(refusal) => {
                let _ = job.reply.send(Err(refusal));
            }
        }
    }

    fn report_load(&self, hashes: usize) {
        self.shared.loads[self.number].store(hashes, Ordering::Relaxed);
    }
}

impl Drop for Worker {
    /// The other threads must not leave work to one that has ended.
    fn drop(&mut self) {
        self.report_load(usize::MAX);
    }
}

/// A niceness of 0 to 19, the lowest priority, as the library counts it on all systems: 0 to 99, the highest.
fn priority(niceness: u32) -> u8 {
    let below = (niceness + 20) * 100;
    u8::try_from(below.div_ceil(39)).map_or(0, |below| 100_u8.saturating_sub(below))
}
