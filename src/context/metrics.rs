//! What is counted beside the figures that the parts of the [`Context`](super::Context) have themselves.

use crate::metrics::{Counters, Requests};
use crate::throttle;

/// Counters since the start.
#[derive(Debug)]
pub struct Metrics {
    /// Requests by route, method and status.
    pub requests: Requests,
    /// Requests that were refused because of a limit, by its name.
    pub limits: Counters,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Requests::default(),
            limits: Counters::new(throttle::names()),
        }
    }
}
