//! How long to wait before a failed mail is tried again.

use std::time::Duration;

use crate::crypto::token::fill_random;
use crate::domain::error::Result;

const FIRST_DELAY: Duration = Duration::from_secs(5);
const LONGEST_DELAY: Duration = Duration::from_secs(3600);

/// Doubles with every attempt, with random jitter of up to half, so that mails that failed together are not retried
/// together.
pub(super) fn delay_after(attempts: u32) -> Result<Duration> {
    let full = FIRST_DELAY
        .saturating_mul(1 << attempts.saturating_sub(1).min(16))
        .min(LONGEST_DELAY);
    let mut byte = [0];
    fill_random(&mut byte)?;
    Ok(full.mul_f64(0.5 + f64::from(byte[0]) / 510.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_with_jitter_in_the_upper_half() {
        for attempts in 1..=12 {
            let full = FIRST_DELAY
                .saturating_mul(1 << (attempts - 1))
                .min(LONGEST_DELAY);
            for _ in 0..50 {
                let delay = delay_after(attempts).unwrap();
                assert!(delay >= full / 2 && delay <= full, "{attempts}: {delay:?}");
            }
        }
    }
}
