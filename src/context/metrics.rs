//! What is counted beside the figures that the parts of the [`Context`](super::Context) have themselves.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::audit;
use crate::domain::clock::Timestamp;
use crate::metrics::{Counter, Counters, Requests};
use crate::throttle;

/// Counters since the start, and what the database held when it was last looked at.
#[derive(Debug)]
pub struct Metrics {
    /// Requests by route, method and status.
    pub requests: Requests,
    /// Requests that were refused because of a limit, by its name.
    pub limits: Counters,
    /// Events of the audit trail, by their name.
    pub events: Counters,
    lost_log_lines: OnceLock<Arc<Counter>>,
    held: Mutex<Held>,
}

/// What the database holds, counted in the background: a scrape must not read tables.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    /// Mails that wait, and since when the oldest does.
    pub waiting_mails: Option<(u64, Option<Timestamp>)>,
    /// Mails that were given up and are kept.
    pub dead_mails: Option<u64>,
    /// Sessions that are neither expired nor idle too long.
    pub live_sessions: Option<u64>,
}

impl Metrics {
    /// Notes what counts lost log lines.
    pub fn note_log(&self, lost: Arc<Counter>) {
        // There is one log.
        let _ = self.lost_log_lines.set(lost);
    }

    /// Log lines that were lost; `None` in a process whose log is not the server's.
    pub fn lost_log_lines(&self) -> Option<u64> {
        self.lost_log_lines.get().map(|lost| lost.get())
    }

    /// Notes what the database holds.
    pub fn note_held(&self, note: impl FnOnce(&mut Held)) {
        note(&mut self.held.lock());
    }

    /// What the database held when it was last looked at.
    pub fn held(&self) -> Held {
        *self.held.lock()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Requests::default(),
            limits: Counters::new(throttle::names()),
            events: Counters::new(audit::KINDS.iter().copied()),
            lost_log_lines: OnceLock::new(),
            held: Mutex::default(),
        }
    }
}
