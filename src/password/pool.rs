//! bcrypt on threads of its own: as many as cores, at the lowest priority, so that hashing takes what looking up
//! sessions leaves; and a bounded queue, so that a flood is told to come back instead of being promised
//! an answer in an hour.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bcrypt::{HashParts, Version};
use tokio::sync::oneshot;

use super::Password;
use crate::config;
use crate::error::{Error, Invalid, Result};
use crate::model::PasswordDigest;
use crate::token::fill_random;

/// The threads that hash. Dropping it ends them, after what waits.
#[derive(Debug)]
pub struct PasswordPool {
    shared: Arc<Shared>,
    threads: usize,
    queue_limit: usize,
    cost: u32,
    reject_common: bool,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
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
    Hash { password: Password, cost: u32 },
    HashChoice { password: Password, words: Vec<String>, cost: u32 },
    Verify { password: Password, digest: PasswordDigest },
    Dummy { cost: u32 },
}

#[derive(Debug)]
enum Outcome {
    Digest(PasswordDigest),
    Verdict(bool),
}

impl PasswordPool {
    /// Starts the threads.
    pub fn start(settings: &config::Password) -> Result<Self> {
        let threads = settings.hashing_threads();
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            arrived: Condvar::new(),
            last_hash_ms: AtomicU64::new(0),
        });
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("bcrypt-{number}"))
                .spawn(move || run(&shared))
                .map_err(Error::internal)?;
        }
        Ok(Self {
            shared,
            threads,
            queue_limit: settings.queue_limit,
            cost: settings.bcrypt_cost,
            reject_common: settings.reject_common,
        })
    }

    /// The digest of a newly chosen password, at the configured cost. `words` are such as would be easy to guess here:
    /// the address, the service's name.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the settings refuse passwords that are easily guessed and this is one;
    /// [`Error::Unavailable`] when too many wait already.
    pub async fn hash_choice(&self, password: Password, words: &[&str]) -> Result<PasswordDigest> {
        let (words, cost) = (words.iter().map(|word| (*word).to_owned()).collect(), self.cost);
        let work = match self.reject_common {
            true => Work::HashChoice { password, words, cost },
            false => Work::Hash { password, cost },
        };
        self.digest_of(work).await
    }

    /// The digest of a password that is somebody's already, at the configured cost.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait already.
    pub async fn hash(&self, password: Password) -> Result<PasswordDigest> {
        self.digest_of(Work::Hash { password, cost: self.cost }).await
    }

    /// Whether `offered` is the password of `digest`. Where either is missing the answer is no, after the same
    /// work at the configured cost.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait already.
    pub async fn verify(&self, offered: Option<Password>, digest: Option<PasswordDigest>) -> Result<bool> {
        let work = match (offered, digest) {
            (Some(password), Some(digest)) => Work::Verify { password, digest },
            // An impossible password costs what a wrong one does for that account.
            (None, Some(digest)) => Work::Dummy { cost: cost_of(&digest).unwrap_or(self.cost) },
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
            let mut queue = lock(&self.shared.queue);
            if queue.jobs.len() >= self.queue_limit {
                return Err(Error::unavailable("passwords_saturated", self.expected_wait(queue.jobs.len())));
            }
            queue.jobs.push_back(Job { work, reply });
        }
        self.shared.arrived.notify_one();
        answer.await.map_err(Error::internal)?
    }

    /// How long a queue of this length takes to be worked off.
    fn expected_wait(&self, waiting: usize) -> Duration {
        let rounds = waiting.div_ceil(self.threads) as u64;
        Duration::from_millis(rounds.saturating_mul(self.shared.last_hash_ms.load(Ordering::Relaxed)))
            .max(Duration::from_secs(1))
    }
}

impl Drop for PasswordPool {
    fn drop(&mut self) {
        lock(&self.shared.queue).closed = true;
        self.shared.arrived.notify_all();
    }
}

fn run(shared: &Shared) {
    // Refused where the system does not allow it: then hashing only competes more.
    let _ = thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Min);
    while let Some(job) = next(shared) {
        // Nobody waits any more, so nobody pays.
        if job.reply.is_closed() {
            continue;
        }
        let started = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| job.work.perform()))
            .unwrap_or_else(|_| Err(Error::internal("hashing panicked")));
        let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if outcome.is_ok() {
            shared.last_hash_ms.store(took, Ordering::Relaxed);
        }
        // A caller that went away meanwhile is told nothing.
        let _ = job.reply.send(outcome);
    }
}

fn next(shared: &Shared) -> Option<Job> {
    let mut queue = lock(&shared.queue);
    loop {
        if let Some(job) = queue.jobs.pop_front() {
            return Some(job);
        }
        if queue.closed {
            return None;
        }
        queue = shared.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

impl Work {
    fn perform(self) -> Result<Outcome> {
        match self {
            Self::HashChoice { password, words, cost } => {
                if password.is_easily_guessed(&words) {
                    return Err(Invalid::field("password", "is too common").into());
                }
                Self::Hash { password, cost }.perform()
            }
            Self::Hash { password, cost } => {
                let mut salt = [0; 16];
                fill_random(&mut salt)?;
                let parts =
                    bcrypt::hash_with_salt(password.reduced(), cost, salt).map_err(Error::internal)?;
                Ok(Outcome::Digest(PasswordDigest::new(parts.format_for_version(Version::TwoB))))
            }
            Self::Verify { password, digest } => {
                let verdict = bcrypt::verify(password.reduced(), digest.as_str()).map_err(Error::internal)?;
                Ok(Outcome::Verdict(verdict))
            }
            Self::Dummy { cost } => {
                std::hint::black_box(
                    bcrypt::hash_with_salt("nobody", cost, [0; 16]).map_err(Error::internal)?,
                );
                Ok(Outcome::Verdict(false))
            }
        }
    }
}

fn cost_of(digest: &PasswordDigest) -> Option<u32> {
    digest.as_str().parse().ok().map(|parts: HashParts| parts.get_cost())
}

/// No invariant spans a panic here: a job is in the queue or out of it.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}
