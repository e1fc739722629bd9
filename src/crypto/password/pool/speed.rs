//! In a debug build bcrypt may be compiled without optimisation, as far as an embedder's profile does not say otherwise:
//! then a sign-in takes many seconds.

#![expect(
    clippy::disallowed_methods,
    reason = "measures the speed of the machine"
)]

use std::time::{Duration, Instant};

/// The cheapest hash: a measurement that delays a start by milliseconds.
const MEASURED_COST: u32 = 4;
/// Five times what a hash at the default cost takes when it is optimised.
const SLOW: Duration = Duration::from_secs(1);

/// Logs how to speed it up if a hash at this cost is slow.
pub(super) fn warn_if_slow(cost: u32) {
    let started = Instant::now();
    let hashed = bcrypt_lanes::hash(MEASURED_COST, [(&[0; 16], b"speed")]);
    let steps = cost.saturating_sub(MEASURED_COST).min(16);
    let estimate = started.elapsed() * (1 << steps);
    if hashed.is_ok() && estimate > SLOW {
        tracing::warn!(
            seconds = estimate.as_secs(),
            "each sign-in is slow in this debug build: set opt-level = 3 in [profile.dev.package.bcrypt-lanes]"
        );
    }
}
