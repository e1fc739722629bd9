//! The page about the metrics, generated from their rows: `docs/reference/metrics.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use prometheus_client::metrics::MetricType;

use super::declared::{ALL, Metric};
use crate::config::generated_file::assert_up_to_date;

const FILE: &str = "docs/reference/metrics.md";

const HEAD: &str = "\
# Metrics

What a server with [`metrics.bind`](settings.md#metrics) serves at `/metrics`, in the text format of Prometheus (0.0.4).
This page is generated from the rows in `src/server/metrics/declared.rs`. [Monitoring](../operations/monitoring.md) has the
setup, a dashboard and alerts.

Durations are in seconds, sizes in bytes, times in seconds since 1970. Counters begin at zero when the process starts.
Figures are those of one process: where several nodes share a database, sum what they count, and take the maximum of
what the database holds.

Label values are names of the program: nothing that a client sends becomes one.

| label | values |
|---|---|
| `engine` | `sqlite`, `postgresql` |
| `event` | the name of an [event](events.md) |
| `kind` | `read`, `write` |
| `limit` | the name of a [limit](limits.md) |
| `method` | `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD`, `OPTIONS`, `other` |
| `outcome` | of mails `sent`, `postponed`, `given_up`; of calls `replied`, `failed_reply` (500 and above, 429), `timed_out`, `failed`, `refused` (too many wait) |
| `provider` | the name of a provider in `[providers.NAME]`; `breached_passwords` for `password.breached_service` |
| `route` | the pattern of a [route](http.md), such as `/v1/projects/{id}`; `other` for every other path, and for routes of an embedding app |
| `state` | `allowed`, `open`, `idle` |
| `status` | the status of the response; `other` for those that Cloakroom itself does not use |
| `version` | the version of the server |

| metric | type | labels | what it is |
|---|---|---|---|
";

/// `UPDATE=1 cargo test --lib reference` writes the page.
#[test]
fn the_page_about_metrics_is_up_to_date() {
    let mut page = HEAD.to_owned();
    for metric in ALL {
        let (kind, suffix) = kind(metric);
        let labels: Vec<_> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let (name, labels) = (metric.name, labels.join(", "));
        writeln!(
            page,
            "| `{name}{suffix}` | {kind} | {labels} | {} |",
            metric.help()
        )
        .unwrap();
    }
    assert_up_to_date(FILE, &page);
}

#[test]
fn every_label_is_described() {
    for metric in ALL {
        for label in metric.labels {
            assert!(HEAD.contains(&format!("\n| `{label}` |")), "{label}");
        }
    }
}

#[test]
fn no_two_metrics_have_the_same_name() {
    let names: BTreeSet<&str> = ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), ALL.len());
}

fn kind(metric: &Metric) -> (&'static str, &'static str) {
    match metric.kind {
        MetricType::Counter => ("counter", "_total"),
        MetricType::Histogram => ("histogram", ""),
        _ => ("gauge", ""),
    }
}
