//! bcrypt on threads of its own: as many as cores, several hashes on each, at the lowest priority, so that hashing takes
//! what looking up sessions leaves; and a bounded queue, so that a flood is told to come back instead of being promised
//! an answer in an hour.

mod lanes;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bcrypt::HashParts;
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::oneshot;

use super::Password;
use crate::config;
use crate::domain::PasswordDigest;
use crate::domain::error::{Error, Result, UnavailableReason};
use worker::Worker;

/// The threads that hash. Dropping it ends them, after what waits.
#[derive(Debug)]
pub struct PasswordPool {
    shared: Arc<Shared>,
    queue_limit: usize,
    cost: u32,
    reject_common: bool,
}

/// What callers and threads share.
#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// Wakes a thread that has nothing to do.
    arrived: Condvar,
    /// How long the queue is, for threads that are busy: they do not lock it in vain.
    waiting: AtomicUsize,
    /// How many hashes each thread has under way.
    loads: Box<[AtomicUsize]>,
    /// How many it can have.
    lanes: usize,
    /// How long the last hash took, for `Retry-After`.
    last_hash_ms: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

#[derive(Debug)]
struct Job {
    work: Work,
    reply: oneshot::Sender<Result<Outcome>>,
}

#[derive(Debug)]
enum Work {
    Hash {
        password: Password,
        cost: u32,
    },
    HashChoice {
        password: Password,
        words: Vec<String>,
        cost: u32,
    },
    Verify {
        password: Password,
        digest: PasswordDigest,
    },
    Dummy {
        cost: u32,
    },
    #[cfg(test)]
    Panic,
}

#[derive(Debug)]
enum Outcome {
    Digest(PasswordDigest),
    Verdict(bool),
}

impl PasswordPool {
    /// Starts the threads.
    pub fn start(settings: &config::Password) -> Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            arrived: Condvar::new(),
            waiting: AtomicUsize::new(0),
            loads: (0..settings.hashing_threads())
                .map(|_| AtomicUsize::new(0))
                .collect(),
            lanes: lanes::per_thread(settings.lanes),
            last_hash_ms: AtomicU64::new(0),
        });
        for number in 0..shared.loads.len() {
            let worker = Worker::new(Arc::clone(&shared), number);
            std::thread::Builder::new()
                .name(format!("bcrypt-{number}"))
                .spawn(move || worker.run())
                .map_err(Error::internal)?;
        }
        Ok(Self {
            shared,
            queue_limit: settings.queue_limit,
            cost: settings.bcrypt_cost,
            reject_common: settings.reject_common,
        })
    }

    /// The digest of a newly chosen password, at the configured cost. `words` are such as would be easy to guess here:
    /// the address, the service's name.
    ///
    /// # Errors
    /// [`Error::Validation`] when the settings refuse passwords that are easily guessed and this is one;
    /// [`Error::Unavailable`] when too many wait already.
    pub async fn hash_choice(&self, password: Password, words: &[&str]) -> Result<PasswordDigest> {
        let (words, cost) = (
            words.iter().map(|word| (*word).to_owned()).collect(),
            self.cost,
        );
        let work = match self.reject_common {
            true => Work::HashChoice {
                password,
                words,
                cost,
            },
            false => Work::Hash { password, cost },
        };
        self.digest_of(work).await
    }

    /// The digest of a password that is somebody's already, at the configured cost.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait already.
    pub async fn hash(&self, password: Password) -> Result<PasswordDigest> {
        self.digest_of(Work::Hash {
            password,
            cost: self.cost,
        })
        .await
    }

    /// Whether `offered` is the password of `digest`. Where either is missing the answer is no, after the same
    /// work at the configured cost.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait already.
    pub async fn verify(
        &self,
        offered: Option<Password>,
        digest: Option<PasswordDigest>,
    ) -> Result<bool> {
        let work = match (offered, digest) {
            (Some(password), Some(digest)) => Work::Verify { password, digest },
            // An impossible password costs what a wrong one does for that account.
            (None, Some(digest)) => Work::Dummy {
                cost: cost_of(&digest).unwrap_or(self.cost),
            },
            (_, None) => Work::Dummy { cost: self.cost },
        };
        match self.submit(work).await? {
            Outcome::Verdict(verdict) => Ok(verdict),
            Outcome::Digest(_) => Err(Error::internal("verifying gave a digest")),
        }
    }

    /// Whether a digest should be written anew at the next sign-in, because its cost is not the configured one.
    pub fn is_outdated(&self, digest: &PasswordDigest) -> bool {
        cost_of(digest) != Some(self.cost)
    }

    async fn digest_of(&self, work: Work) -> Result<PasswordDigest> {
        match self.submit(work).await? {
            Outcome::Digest(digest) => Ok(digest),
            Outcome::Verdict(_) => Err(Error::internal("hashing gave a verdict")),
        }
    }

    async fn submit(&self, work: Work) -> Result<Outcome> {
        let (reply, answer) = oneshot::channel();
        {
            let mut queue = self.shared.lock();
            if queue.jobs.len() >= self.queue_limit {
                // Those that nobody waits for any more keep nobody out.
                queue.jobs.retain(|job| !job.reply.is_closed());
            }
            if queue.jobs.len() >= self.queue_limit {
                return Err(Error::unavailable(
                    UnavailableReason::PasswordsSaturated,
                    self.expected_wait(queue.jobs.len()),
                ));
            }
            queue.jobs.push_back(Job { work, reply });
            self.shared
                .waiting
                .store(queue.jobs.len(), Ordering::Relaxed);
        }
        self.shared.arrived.notify_one();
        answer.await.map_err(Error::internal)?
    }

    /// How long a queue of this length takes to be worked off.
    fn expected_wait(&self, waiting: usize) -> Duration {
        let at_once = self.shared.loads.len() * self.shared.lanes;
        let rounds = waiting.div_ceil(at_once) as u64;
        Duration::from_millis(
            rounds.saturating_mul(self.shared.last_hash_ms.load(Ordering::Relaxed)),
        )
        .max(Duration::from_secs(1))
    }
}

impl Drop for PasswordPool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.arrived.notify_all();
    }
}

impl Shared {
    /// No invariant spans a panic here: a job is in the queue or out of it.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock()
    }

    /// The next job for a thread with nothing to do; `None` when there will be no more.
    fn wait_for_job(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if let Some(job) = self.pop(&mut queue) {
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            self.arrived.wait(&mut queue);
        }
    }

    /// One more job for a thread that has some under way, if one waits that no other thread should rather take.
    fn one_more(&self, number: usize) -> Option<Job> {
        let load = self.loads[number].load(Ordering::Relaxed);
        let has_least = self
            .loads
            .iter()
            .all(|other| other.load(Ordering::Relaxed) >= load);
        let worth_locking =
            load < self.lanes && has_least && self.waiting.load(Ordering::Relaxed) > 0;
        worth_locking.then(|| self.pop(&mut self.lock())).flatten()
    }

    fn pop(&self, queue: &mut Queue) -> Option<Job> {
        let job = queue.jobs.pop_front();
        self.waiting.store(queue.jobs.len(), Ordering::Relaxed);
        job
    }
}

fn cost_of(digest: &PasswordDigest) -> Option<u32> {
    digest
        .as_str()
        .parse()
        .ok()
        .map(|parts: HashParts| parts.get_cost())
}
