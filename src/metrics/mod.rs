//! Counters and histograms: atomics without locks, which any layer increments. `server::metrics` reads them at a scrape.

mod instruments;
mod requests;

pub use instruments::{Counters, Distribution};
pub use requests::{OTHER, Requests, WorkerRequests};
