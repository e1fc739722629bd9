//! What is incremented: counters, counters by a label, histograms.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds so many.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A counter for each of some names that are known at the start. Others are not counted.
#[derive(Debug)]
pub struct Counters(Box<[(&'static str, Counter)]>);

impl Counters {
    /// Counters with these names.
    pub fn new(names: impl IntoIterator<Item = &'static str>) -> Self {
        let counters = names.into_iter().map(|name| (name, Counter::default()));
        Self(counters.collect())
    }

    /// Adds one to the counter of this name.
    pub fn increment(&self, name: &str) {
        if let Some((_, counter)) = self.0.iter().find(|(known, _)| *known == name) {
            counter.increment();
        }
    }

    /// Every name with its number.
    pub fn get(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(name, counter)| (*name, counter.get()))
    }
}

/// How often values were at most each of some bounds.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, and one for values above the last.
    buckets: Box<[Counter]>,
    sum: Counter,
}

/// What a histogram has counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// The upper bounds, of all buckets but the last.
    pub bounds: &'static [u64],
    /// How many values were in each bucket, and in no earlier one.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: u64,
}

impl Histogram {
    /// From 1 ms to 10 s, in nanoseconds.
    pub const DURATIONS: &'static [u64] = &[
        1_000_000,
        2_500_000,
        5_000_000,
        10_000_000,
        25_000_000,
        50_000_000,
        100_000_000,
        250_000_000,
        500_000_000,
        1_000_000_000,
        2_500_000_000,
        5_000_000_000,
        10_000_000_000,
    ];

    /// With buckets up to each of these bounds, in ascending order, and one above.
    pub fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            buckets: (0..=bounds.len()).map(|_| Counter::default()).collect(),
            sum: Counter::default(),
        }
    }

    /// Counts a value.
    pub fn observe(&self, value: u64) {
        // Small values are the most frequent.
        let above = self.bounds.iter().position(|bound| value <= *bound);
        self.buckets[above.unwrap_or(self.bounds.len())].increment();
        self.sum.add(value);
    }

    /// Counts a duration, in nanoseconds.
    pub fn observe_duration(&self, took: Duration) {
        self.observe(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// What was counted.
    pub fn get(&self) -> Distribution {
        Distribution {
            bounds: self.bounds,
            counts: self.buckets.iter().map(Counter::get).collect(),
            sum: self.sum.get(),
        }
    }
}

impl Distribution {
    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds what another histogram with the same bounds has counted.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum += other.sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_the_first_bucket_that_holds_it() {
        let histogram = Histogram::new(&[1, 10]);
        for value in [0, 1, 2, 10, 11] {
            histogram.observe(value);
        }
        let counted = histogram.get();
        assert_eq!((counted.counts, counted.sum), (vec![2, 2, 1], 24));
    }

    #[test]
    fn names_that_were_not_declared_are_not_counted() {
        let counters = Counters::new(["one", "two"]);
        for name in ["two", "three", "two"] {
            counters.increment(name);
        }
        assert_eq!(counters.get().collect::<Vec<_>>(), [("one", 0), ("two", 2)]);
    }
}
