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

/// In milliseconds.
const DAY: i64 = 86_400_000;

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

    /// Passes RFC 3339 in UTC with milliseconds to `use_text`.
    fn with_rfc3339<T>(self, use_text: impl FnOnce(&str) -> T) -> T {
        let mut text = *b"0000-00-00T00:00:00.000Z";
        match write_digits(&mut text, self.0, self.0.rem_euclid(1_000) as u32) {
            true => use_text(str::from_utf8(&text).unwrap_or_default()),
            false => use_text(&self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true)),
        }
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
        self.with_rfc3339(|text| f.write_str(text))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_rfc3339(|text| serializer.serialize_str(text))
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

    /// Appends the time of the system's wall clock, in RFC 3339 with microseconds, for a log line.
    pub fn append_system_time(line: &mut Vec<u8>) {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        write_digits(&mut text, millis(since_epoch), since_epoch.subsec_micros());
        line.extend_from_slice(&text);
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

/// Writes a time over the zeros of `text`, by milliseconds since 1970; `false` if its year has not four digits. Replies hold
/// many times, and chrono's formatting takes ten times as long.
fn write_digits(text: &mut [u8], millis: i64, fraction: u32) -> bool {
    let (days, of_day) = (millis.div_euclid(DAY), millis.rem_euclid(DAY));
    // Years begin in March, so that the leap day ends one; 400 of them, an era, have the same days. Counted from 1 March 0
    // (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let since_year_0 = days + 719_468;
    let (era, day) = (
        since_year_0.div_euclid(146_097),
        since_year_0.rem_euclid(146_097),
    );
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, is_next_year) = match month < 10 {
        true => (month + 3, 0),
        false => (month - 9, 1),
    };
    let Ok(year @ 0..=9999) = u32::try_from(era * 400 + year_of_era + is_next_year) else {
        return false;
    };
    let seconds = (of_day / 1_000) as u32;
    for (end, number) in [
        (4, year),
        (7, month as u32),
        (10, day_of_month as u32),
        (13, seconds / 3_600),
        (16, seconds / 60 % 60),
        (19, seconds % 60),
        (text.len() - 1, fraction),
    ] {
        put_before(&mut text[..end], number);
    }
    true
}

/// Writes the digits of a number at the end of `text`.
fn put_before(text: &mut [u8], mut number: u32) {
    for digit in text.iter_mut().rev() {
        if number == 0 {
            return;
        }
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
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
    fn times_are_written_as_chrono_writes_them() {
        let far = [i64::MIN, -62_167_219_200_001, 253_402_300_800_000, i64::MAX];
        let near = (-800_000..3_000_000)
            .step_by(997)
            .map(|at| at * DAY / 7 + at);
        for millis in far.into_iter().chain(near) {
            let at = Timestamp::from_millis(millis);
            let expected = at.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true);
            assert_eq!(at.to_string(), expected);
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
