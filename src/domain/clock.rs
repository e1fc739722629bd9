//! Time. Only this module reads the system clock: `clippy.toml` forbids `SystemTime::now` and `Instant::now`.
//!
//! Wall-clock times are whole milliseconds since 1970 in UTC ([`Timestamp`]): integers in the database, RFC 3339 on
//! the wire. Intervals within the process are measured on the monotonic clock ([`Clock::monotonic`]), which does not
//! jump when the wall clock is set.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The same point in time for date arithmetic and formatting; 1970 when it is outside the years chrono supports.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    fn to_rfc3339(self) -> String {
        self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Parses RFC 3339 with any offset. Fractions finer than a millisecond are truncated.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|at| Self(at.timestamp_millis()))
    }

    /// Time elapsed since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(at: Timestamp) -> Self {
        UNIX_EPOCH + at.since(Timestamp(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-01-31T09:30:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

/// The source of time: the system's clocks, or clocks that tests move.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clocks.
    System,
    /// Clocks that stand still until a test moves them; clones share them.
    Manual(Arc<ManualClock>),
}

/// A wall clock and a monotonic clock that stand still until they are moved.
#[derive(Debug)]
pub struct ManualClock {
    /// Milliseconds since 1970.
    now: AtomicI64,
    started: Instant,
    /// Milliseconds since `started`.
    elapsed: AtomicU64,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the only place that reads the system's clocks"
)]
impl Clock {
    /// A manual clock that starts at `start`.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(ManualClock {
            now: AtomicI64::new(start.as_millis()),
            started: Instant::now(),
            elapsed: AtomicU64::new(0),
        }))
    }

    /// The current wall-clock time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since_epoch = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp(millis(since_epoch))
            }
            Self::Manual(clock) => Timestamp(clock.now.load(Ordering::SeqCst)),
        }
    }

    /// The current monotonic time, for intervals: `clock.monotonic() - earlier`.
    pub fn monotonic(&self) -> Instant {
        match self {
            Self::System => Instant::now(),
            Self::Manual(clock) => {
                clock.started + Duration::from_millis(clock.elapsed.load(Ordering::SeqCst))
            }
        }
    }

    /// Sets a manual wall clock, forward or back, as an administrator would: no monotonic time passes. No effect on
    /// the system's.
    pub fn set(&self, to: Timestamp) {
        if let Self::Manual(clock) = self {
            clock.now.store(to.as_millis(), Ordering::SeqCst);
        }
    }

    /// Lets `span` pass on both manual clocks, in whole milliseconds. No effect on the system's.
    pub fn advance(&self, span: Duration) {
        if let Self::Manual(clock) = self {
            let millis = millis(span);
            clock.now.fetch_add(millis, Ordering::SeqCst);
            clock
                .elapsed
                .fetch_add(millis.unsigned_abs(), Ordering::SeqCst);
        }
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip_and_accept_other_offsets() {
        let at = Timestamp::from_millis(1_769_851_800_250);
        assert_eq!(at.to_string(), "2026-01-31T09:30:00.250Z");
        for text in [
            "2026-01-31T09:30:00.250Z",
            "2026-01-31t09:30:00.2509z",
            "2026-01-31T11:30:00.250+02:00",
        ] {
            assert_eq!(Timestamp::parse(text), Some(at), "{text}");
        }
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T09:30:00",
            "1769851800",
            "2026-02-30T09:30:00Z",
            "soon",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn setting_the_wall_clock_leaves_monotonic_time() {
        let clock = Clock::manual(Timestamp::from_millis(5_000));
        let started = clock.monotonic();
        clock.set(Timestamp::from_millis(1_000));
        assert_eq!(clock.monotonic(), started);
        clock.clone().advance(Duration::from_millis(1_500));
        assert_eq!(clock.now(), Timestamp::from_millis(2_500));
        assert_eq!(clock.monotonic() - started, Duration::from_millis(1_500));
    }
}
