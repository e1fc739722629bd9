//! bcrypt on threads of its own: one a core with several hashes each, at a priority below that of
//! look-ups. The queue is bounded and shared fairly among networks: callers beyond it get 503 with
//! `Retry-After`, before they start.
//!
//! # Threats
//! - a flood from one network that keeps others from signing in: networks are served in turn, and each holds only a part
//!   of the queue
//! - a full queue that uses up the limits of those whom it refuses: a request reserves its [`HashSlot`] before it is
//!   counted, and its hashes are never refused afterwards

mod input;
mod lanes;
mod queue;
mod slot;
mod speed;
#[cfg(test)]
mod tests;
mod worker;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bcrypt::HashParts;
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::oneshot;

use crate::config;
use crate::domain::error::{Error, Result, UnavailableReason};
use crate::domain::{Network, PasswordDigest};
use crate::metrics::{Counter, Distribution, Histogram};
use input::Input;
use queue::Queue;
pub use slot::HashSlot;
use worker::Worker;

/// The costs of bcrypt.
const COSTS: RangeInclusive<u32> = 4..=31;

/// The threads that hash. When it is dropped, they finish the queue and end.
pub struct PasswordPool {
    shared: Arc<Shared>,
}

/// State shared by callers and threads.
struct Shared {
    queue: Mutex<Queue>,
    /// Wakes an idle thread.
    arrived: Condvar,
    /// The jobs in the queue, for busy threads: they lock it only if there is one.
    waiting: AtomicUsize,
    /// The hashes that each thread computes now.
    loads: Box<[AtomicUsize]>,
    /// The most hashes that a thread computes at once.
    lanes: usize,
    /// Of the threads.
    niceness: u32,
    /// The duration of the last hash, for `Retry-After`.
    last_hash_ms: AtomicU64,
    /// Of new digests.
    cost: u32,
    reject_common: bool,
    /// How long jobs were in the queue.
    waits: Histogram,
    /// Requests that found no place in the queue.
    refused: Counter,
}

/// What the pool does and did.
#[derive(Debug)]
pub struct PoolFigures {
    /// Hashes in the queue.
    pub waiting: usize,
    /// Hashes in the queue and places that requests reserved.
    pub taken: usize,
    /// The most of them.
    pub limit: usize,
    /// Hashes under way.
    pub under_way: usize,
    /// How long hashes were in the queue.
    pub waits: Distribution,
    /// Requests that found no place in the queue.
    pub refused: u64,
}

struct Job {
    queued: Instant,
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
        if cfg!(debug_assertions) {
            speed::warn_if_slow(settings.bcrypt_cost);
        }
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::new(settings.queue_limit)),
            arrived: Condvar::new(),
            waiting: AtomicUsize::new(0),
            loads: (0..settings.hashing_threads())
                .map(|_| AtomicUsize::new(0))
                .collect(),
            lanes: lanes::per_thread(settings.lanes),
            niceness: settings.niceness,
            last_hash_ms: AtomicU64::new(0),
            cost: settings.bcrypt_cost,
            reject_common: settings.reject_common,
            waits: Histogram::new(Histogram::DURATIONS),
            refused: Counter::default(),
        });
        for number in 0..shared.loads.len() {
            let worker = Worker::new(Arc::clone(&shared), number);
            std::thread::Builder::new()
                .name(format!("bcrypt-{number}"))
                .spawn(move || worker.run())
                .map_err(Error::internal)?;
        }
        Ok(Self { shared })
    }

    /// Reserves a place in the queue for the hashes of a request from `client`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the queue is full, or the part of it that the client's network may hold.
    pub fn reserve(&self, client: IpAddr) -> Result<HashSlot> {
        let network = Network::of_customer(client);
        let mut queue = self.shared.lock();
        if queue.reserve(network) {
            return Ok(HashSlot::new(Arc::clone(&self.shared), network));
        }
        self.shared.refused.increment();
        Err(Error::unavailable(
            UnavailableReason::PasswordsSaturated,
            self.shared.expected_wait(queue.taken()),
        ))
    }

    /// What the pool does now, and did since the start.
    pub fn figures(&self) -> PoolFigures {
        let loads = self.shared.loads.iter();
        // A thread that ended reports the highest load.
        let loads = loads.map(|load| load.load(Ordering::Relaxed));
        let under_way = loads.filter(|load| *load <= self.shared.lanes).sum();
        let queue = self.shared.lock();
        PoolFigures {
            waiting: queue.waiting(),
            taken: queue.taken(),
            limit: queue.limit(),
            under_way,
            waits: self.shared.waits.get(),
            refused: self.shared.refused.get(),
        }
    }

    /// Whether a digest should be replaced at the next sign-in because its cost is not the configured one.
    pub fn is_outdated(&self, digest: &PasswordDigest) -> bool {
        cost_of(digest) != Some(self.shared.cost)
    }
}

impl Drop for PasswordPool {
    fn drop(&mut self) {
        self.shared.lock().close();
        self.shared.arrived.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock()
    }

    /// Adds a job for the threads. `is_reserved` as in [`Queue::push`].
    fn push(&self, network: Network, job: Job, is_reserved: bool) {
        let mut queue = self.lock();
        if queue.is_closed() {
            // No thread would take it. The caller sees that its job is gone.
            return;
        }
        queue.push(network, job, is_reserved);
        self.waiting.store(queue.waiting(), Ordering::Relaxed);
        drop(queue);
        self.arrived.notify_one();
    }

    /// The next job for an idle thread; `None` if there will be no more.
    fn wait_for_job(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if let Some(job) = self.pop(&mut queue) {
                return Some(job);
            }
            if queue.is_closed() {
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
        let job = queue.pop();
        self.waiting.store(queue.waiting(), Ordering::Relaxed);
        job
    }

    /// The time that a queue of this length takes.
    fn expected_wait(&self, waiting: usize) -> Duration {
        let at_once = self.loads.len() * self.lanes;
        let rounds = waiting.div_ceil(at_once) as u64;
        Duration::from_millis(rounds.saturating_mul(self.last_hash_ms.load(Ordering::Relaxed)))
            .max(Duration::from_secs(1))
    }
}

/// Whether a password can be compared with this digest. Other programs may have written another one.
pub fn is_bcrypt(digest: &PasswordDigest) -> bool {
    cost_of(digest).is_some()
}

fn cost_of(digest: &PasswordDigest) -> Option<u32> {
    let parts: HashParts = digest.as_str().parse().ok()?;
    Some(parts.get_cost()).filter(|cost| COSTS.contains(cost))
}
