//! Collects what is wrong with settings, so that all of it is reported at once.

use std::net::IpAddr;
use std::time::Duration;

use super::error::Problem;

pub(super) const MILLISECOND: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// Ten years: a longer duration is a typing error.
pub const MAX_DURATION: Duration = Duration::from_secs(3_650 * 86_400);

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(pub Vec<Problem>);

impl Problems {
    /// Adds one; `message` says what the value must be.
    pub fn refuse(&mut self, key: &str, message: impl Into<String>) {
        self.0.push(Problem::new(key, message));
    }
}

/// Whether `text` is an IP address or could be a host name.
pub(super) fn is_host(text: &str) -> bool {
    let in_a_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.parse::<IpAddr>().is_ok() || (!text.is_empty() && text.chars().all(in_a_name))
}
