//! bcrypt on threads of its own: one a core with several hashes each, at the lowest priority, so that hashing takes the
//! time that look-ups leave. The queue is bounded: callers beyond it get 503 with `Retry-After`.

mod input;
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
use crate::domain::error::{Error, Result, UnavailableReason, ValidationErrors};
use input::Input;
use worker::Worker;

/// The threads that hash. When it is dropped, they finish the queue and end.
pub struct PasswordPool {
    shared: Arc<Shared>,
    queue_limit: usize,
    cost: u32,
    reject_common: bool,
}

/// State shared by callers and threads.
struct Shared {
    queue: Mutex<Queue>,
    /// Wakes an idle thread.
    arrived: Condvar,
    /// The length of the queue, for busy threads: they lock it only if there is a job.
    waiting: AtomicUsize,
    /// The hashes that each thread computes now.
    loads: Box<[AtomicUsize]>,
    /// The most hashes that a thread computes at once.
    lanes: usize,
    /// The duration of the last hash, for `Retry-After`.
    last_hash_ms: AtomicU64,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

struct Job {
    prepare: Prepare,
    reply: oneshot::Sender<Result<Outcome>>,
}

/// Makes the input of bcrypt, on the thread that hashes.
type Prepare = Box<dyn FnOnce() -> Result<Input> + Send>;

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

    /// The digest of a newly chosen password, at the configured cost. `words` are easy to guess for this user: the
    /// address, the service's name. A `common` password is on a list.
    ///
    /// # Errors
    /// [`Error::Validation`] if the password is easily guessed and the settings reject that;
    /// [`Error::Unavailable`] if the queue is full.
    pub async fn hash_choice(
        &self,
        password: Password,
        words: &[&str],
        common: bool,
    ) -> Result<PasswordDigest> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let (cost, reject_common) = (self.cost, self.reject_common);
        self.digest_of(move || {
            let listed =
                || common.then_some("is on lists that attackers try first: choose another");
            if reject_common && let Some(reason) = password.guessed_because(&words).or_else(listed)
            {
                let mut invalid = ValidationErrors::field("password", "is too common");
                invalid.add("password", reason);
                return Err(invalid.into());
            }
            Input::hash(&password, cost)
        })
        .await
    }

    /// The digest of a password that is in use already, at the configured cost.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the queue is full.
    pub async fn hash(&self, password: Password) -> Result<PasswordDigest> {
        let cost = self.cost;
        self.digest_of(move || Input::hash(&password, cost)).await
    }

    /// Whether `offered` is the password of `digest`. If either is missing, the result is `false` after the same work.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the queue is full.
    pub async fn verify(
        &self,
        offered: Option<Password>,
        digest: Option<PasswordDigest>,
    ) -> Result<bool> {
        let cost = self.cost;
        let prepare = move || match (offered, digest) {
            (Some(password), Some(digest)) => Input::verify(&password, &digest),
            // An impossible password takes as long as a wrong one for that account.
            (None, Some(digest)) => Input::dummy(cost_of(&digest).unwrap_or(cost)),
            (_, None) => Input::dummy(cost),
        };
        match self.submit(prepare).await? {
            Outcome::Verdict(verdict) => Ok(verdict),
            Outcome::Digest(_) => Err(Error::internal("verifying gave a digest")),
        }
    }

    /// Whether a digest should be replaced at the next sign-in because its cost is not the configured one.
    pub fn is_outdated(&self, digest: &PasswordDigest) -> bool {
        cost_of(digest) != Some(self.cost)
    }

    async fn digest_of(
        &self,
        prepare: impl FnOnce() -> Result<Input> + Send + 'static,
    ) -> Result<PasswordDigest> {
        match self.submit(prepare).await? {
            Outcome::Digest(digest) => Ok(digest),
            Outcome::Verdict(_) => Err(Error::internal("hashing gave a verdict")),
        }
    }

    async fn submit(
        &self,
        prepare: impl FnOnce() -> Result<Input> + Send + 'static,
    ) -> Result<Outcome> {
        let (reply, answer) = oneshot::channel();
        {
            let mut queue = self.shared.lock();
            if queue.jobs.len() >= self.queue_limit {
                // Jobs whose callers have gone take no place.
                queue.jobs.retain(|job| !job.reply.is_closed());
            }
            if queue.jobs.len() >= self.queue_limit {
                return Err(Error::unavailable(
                    UnavailableReason::PasswordsSaturated,
                    self.expected_wait(queue.jobs.len()),
                ));
            }
            queue.jobs.push_back(Job {
                prepare: Box::new(prepare),
                reply,
            });
            self.shared
                .waiting
                .store(queue.jobs.len(), Ordering::Relaxed);
        }
        self.shared.arrived.notify_one();
        answer.await.map_err(Error::internal)?
    }

    /// The time that a queue of this length takes.
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
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock()
    }

    /// The next job for an idle thread; `None` if there will be no more.
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

    /// One more job for a busy thread, unless another thread has fewer.
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
