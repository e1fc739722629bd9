//! In a debug build bcrypt may be compiled without optimisation, as far as an embedder's profile does not say otherwise:
//! then a sign-in takes many seconds.

#![expect(
    clippy::disallowed_methods,
    reason = "measures the speed of the machine"
)]

use std::iter;
use std::time::{Duration, Instant};

/// The cheapest hash: a measurement that delays a start by milliseconds.
const MEASURED_COST: u32 = 4;
/// Five times what a hash at the default cost takes when it is optimised.
const SLOW: Duration = Duration::from_secs(1);

/// A busy machine delays a single measurement.
const MEASUREMENTS: usize = 5;

/// Logs how to speed it up if a hash at this cost is slow.
pub(super) fn warn_if_slow(cost: u32) {
    if let Some(estimate) = slowness(|| estimate(cost)) {
        tracing::warn!(
            seconds = estimate.as_secs(),
            "each sign-in is slow in this debug build: set opt-level = 3 in [profile.dev.package.bcrypt-lanes]"
        );
    }
}

/// The shortest of some measurements, or `None` as soon as one of them is fast.
fn slowness(measure: impl FnMut() -> Duration) -> Option<Duration> {
    let mut shortest = None;
    for measured in iter::repeat_with(measure).take(MEASUREMENTS) {
        if measured <= SLOW {
            return None;
        }
        shortest = Some(shortest.map_or(measured, |shortest| measured.min(shortest)));
    }
    shortest
}

/// What a hash at this cost takes, computed from a cheaper one.
fn estimate(cost: u32) -> Duration {
    let steps = cost.saturating_sub(MEASURED_COST).min(16);
    let started = Instant::now();
    let hashed = bcrypt_lanes::hash(MEASURED_COST, [(&[0; 16], b"speed")]);
    match hashed {
        Ok(_) => started.elapsed() * (1 << steps),
        Err(_) => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `slowness` reports for these measurements in seconds.
    fn slowness_of(seconds: &[u64]) -> Option<Duration> {
        let mut measurements = seconds.iter().copied().cycle();
        slowness(|| Duration::from_secs(measurements.next().unwrap()))
    }

    #[test]
    fn a_delayed_measurement_does_not_warn() {
        assert_eq!(slowness_of(&[9, 8, 0]), None);
    }

    #[test]
    fn slow_hashes_warn_with_the_shortest_measurement() {
        assert_eq!(slowness_of(&[9, 8]), Some(Duration::from_secs(8)));
    }
}
