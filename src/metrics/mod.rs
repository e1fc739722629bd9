//! Counters and histograms: atomics without locks, which any layer increments. `server::metrics` reads them at a scrape.

mod instruments;
mod requests;

pub use instruments::{Counter, Counters, Distribution, Histogram};
pub use requests::{OTHER, Requests, WorkerRequests};
