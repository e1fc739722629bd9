//! The text that Prometheus reads, from the figures of one moment.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::declared::Metric;
use crate::metrics::Distribution;

/// The figures of one moment.
#[derive(Debug, Default)]
pub(super) struct Figures(Vec<(&'static Metric, Vec<Sample>)>);

/// A value with those of the labels, in their order.
#[derive(Debug)]
struct Sample {
    labels: Vec<(&'static str, String)>,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Number(f64),
    Count(u64),
    /// With what one of the units of the next is, in those that were counted.
    Distribution(Distribution, f64),
}

/// In nanoseconds.
const SECOND: f64 = 1e9;

impl Figures {
    /// Adds a value of a metric without labels.
    pub fn number(&mut self, metric: &'static Metric, value: f64) {
        self.add(metric, [([""; 0], Value::Number(value))].into_iter());
    }

    /// Adds a count of a metric without labels.
    pub fn count(&mut self, metric: &'static Metric, count: u64) {
        self.counts(metric, [([""; 0], count)]);
    }

    /// Adds what was counted of sizes.
    pub fn sizes(&mut self, metric: &'static Metric, sizes: Distribution) {
        let value = Value::Distribution(sizes, 1.0);
        self.add(metric, [([""; 0], value)].into_iter());
    }

    /// Adds the counts of a metric, each with its labels.
    pub fn counts<L: Into<String>, const N: usize>(
        &mut self,
        metric: &'static Metric,
        counts: impl IntoIterator<Item = ([L; N], u64)>,
    ) {
        let counts = counts.into_iter();
        self.add(
            metric,
            counts.map(|(labels, count)| (labels, Value::Count(count))),
        );
    }

    /// Adds what was counted of durations, each with its labels.
    pub fn durations<L: Into<String>, const N: usize>(
        &mut self,
        metric: &'static Metric,
        durations: impl IntoIterator<Item = ([L; N], Distribution)>,
    ) {
        let durations = durations.into_iter();
        let values = durations.map(|(labels, it)| (labels, Value::Distribution(it, SECOND)));
        self.add(metric, values);
    }

    fn add<L: Into<String>, const N: usize>(
        &mut self,
        metric: &'static Metric,
        values: impl Iterator<Item = ([L; N], Value)>,
    ) {
        let samples = values.map(|(labels, value)| {
            debug_assert_eq!(labels.len(), metric.labels.len(), "{}", metric.name);
            let names = metric.labels.iter().copied();
            Sample {
                labels: names.zip(labels.map(Into::into)).collect(),
                value,
            }
        });
        let samples = samples.collect();
        match self
            .0
            .iter_mut()
            .find(|(known, _)| known.name == metric.name)
        {
            Some((_, known)) => known.extend::<Vec<_>>(samples),
            None => self.0.push((metric, samples)),
        }
    }

    /// The text, as `text/plain; version=0.0.4`.
    pub fn text(self) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        registry.register_collector(Box::new(self));
        // Writing to a text does not fail.
        let _ = prometheus_text::encode(&mut text, &registry);
        text
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (metric, samples) in &self.0 {
            let help = metric.help();
            let mut family = encoder.encode_descriptor(metric.name, &help, None, metric.kind)?;
            for sample in samples {
                write(family.encode_family(&sample.labels)?, metric, &sample.value)?;
            }
        }
        Ok(())
    }
}

fn write(mut encoder: MetricEncoder<'_>, metric: &Metric, value: &Value) -> fmt::Result {
    match (value, metric.kind) {
        (Value::Number(number), MetricType::Counter) => {
            encoder.encode_counter::<NoLabelSet, _, f64>(number, None)
        }
        (Value::Count(count), MetricType::Counter) => {
            encoder.encode_counter::<NoLabelSet, _, f64>(count, None)
        }
        (Value::Number(number), _) => encoder.encode_gauge(number),
        (Value::Count(count), _) => encoder.encode_gauge(count),
        (Value::Distribution(distribution, unit), _) => {
            let bounds = distribution.bounds.iter().map(|bound| *bound as f64 / unit);
            let counts = distribution.counts.iter().copied();
            let buckets: Vec<_> = bounds.zip(counts).collect();
            let sum = distribution.sum as f64 / unit;
            encoder.encode_histogram::<NoLabelSet>(sum, distribution.count(), &buckets, None)
        }
    }
}
