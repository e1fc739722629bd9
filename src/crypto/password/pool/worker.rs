//! One thread of the pool. It takes several hashes further together, each in a lane of its own (see `bcrypt_lanes`):
//! four at once take 1.3 times as long as one. Nobody waits for the lanes to fill: a hash starts as soon as one is free and
//! leaves when it is done, whatever the others' costs.

#![expect(
    clippy::disallowed_methods,
    reason = "measures hashes for `Retry-After`"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use base64::Engine;
use bcrypt::{BASE_64, HashParts};
use bcrypt_lanes::{CostError, Lanes};
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{Job, Outcome, Shared, Work};
use crate::crypto::token::fill_random;
use crate::domain::PasswordDigest;
use crate::domain::error::{Error, Result, ValidationErrors};

/// Rounds between two looks at the queue: about a millisecond, of the quarter of a second that a hash takes at cost 12.
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

/// What a hash is computed for.
enum Purpose {
    /// A new digest of this cost and salt.
    Write { cost: u32, salt: [u8; 16] },
    /// Whether it is this one, in the digest's text form.
    Compare(String),
    /// The time it takes.
    Dummy,
}

/// What bcrypt takes.
struct Input {
    purpose: Purpose,
    cost: u32,
    salt: [u8; 16],
    password: Zeroizing<Vec<u8>>,
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
        // Refused where the system does not allow it: then hashing only competes more.
        let _ = thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Min);
        loop {
            // One at a time: what it takes to begin one holds the others up.
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
                // A caller that went away meanwhile is told nothing.
                let _ = hash.reply.send(Ok(hash.purpose.outcome(&output)));
            }
            // Nobody waits for these any more, so nobody pays.
            self.lanes.retain(|hash| !hash.reply.is_closed());
            self.tell_load(self.lanes.len());
        }
    }

    /// Starts a hash, or answers at once when there is nothing to compute.
    fn begin(&mut self, job: Job) {
        if job.reply.is_closed() {
            return;
        }
        // Counted before it runs: to see whether a password is common takes a while, and others should rather take the next.
        self.tell_load(self.lanes.len() + 1);
        let input = catch_unwind(AssertUnwindSafe(|| job.work.input()))
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

    fn tell_load(&self, hashes: usize) {
        self.shared.loads[self.number].store(hashes, Ordering::Relaxed);
    }
}

impl Drop for Worker {
    /// A thread that is gone must not be the one that the others leave the work to.
    fn drop(&mut self) {
        self.tell_load(usize::MAX);
    }
}

impl Work {
    fn input(self) -> Result<Input> {
        let input = match self {
            Self::HashChoice {
                password,
                words,
                cost,
            } => {
                if let Some(reason) = password.guessed_because(&words) {
                    let mut invalid = ValidationErrors::field("password", "is too common");
                    invalid.add("password", reason);
                    return Err(invalid.into());
                }
                return Self::Hash { password, cost }.input();
            }
            Self::Hash { password, cost } => {
                let mut salt = [0; 16];
                fill_random(&mut salt)?;
                Input {
                    purpose: Purpose::Write { cost, salt },
                    cost,
                    salt,
                    password: password.reduced(),
                }
            }
            Self::Verify { password, digest } => {
                let parts: HashParts = digest.as_str().parse().map_err(Error::internal)?;
                let written = digest.as_str()[DIGEST_START..].to_owned();
                Input {
                    purpose: Purpose::Compare(written),
                    cost: parts.get_cost(),
                    salt: parts.get_salt_raw(),
                    password: password.reduced(),
                }
            }
            Self::Dummy { cost } => Input {
                purpose: Purpose::Dummy,
                cost,
                salt: [0; 16],
                password: Zeroizing::new(b"nobody".to_vec()),
            },
            #[cfg(test)]
            Self::Panic => panic!("as the test wants it"),
        };
        if !(4..=31).contains(&input.cost) {
            return Err(Error::internal(CostError(input.cost)));
        }
        Ok(input)
    }
}

/// Where the hash starts in `$2b$12$`, salt, hash. `HashParts` has checked the form.
const DIGEST_START: usize = 7 + 22;

impl Purpose {
    fn outcome(&self, output: &bcrypt_lanes::Output) -> Outcome {
        // As every bcrypt writes it, without the last byte.
        let written = BASE_64.encode(&output[..23]);
        match self {
            Self::Write { cost, salt } => Outcome::Digest(PasswordDigest::new(format!(
                "$2b${cost:02}${}{written}",
                BASE_64.encode(salt)
            ))),
            Self::Compare(expected) => {
                Outcome::Verdict(expected.as_bytes().ct_eq(written.as_bytes()).into())
            }
            Self::Dummy => Outcome::Verdict(false),
        }
    }
}
