//! Every metric, one row each: its name, its labels and what it is. The text that Prometheus reads and
//! `docs/reference/metrics.md` derive from these rows.

use prometheus_client::metrics::MetricType;

/// A metric, as declared.
#[derive(Debug)]
pub(super) struct Metric {
    /// Its name; that of a counter without `_total`.
    pub name: &'static str,
    pub kind: MetricType,
    pub labels: &'static [&'static str],
    help: &'static [&'static str],
}

impl Metric {
    /// What it is, in one line.
    pub fn help(&self) -> String {
        self.help.concat().trim().to_owned()
    }
}

/// Each row `CONSTANT Kind "name" [labels];` becomes a [`Metric`].
macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $constant:ident $kind:ident $name:literal [$($label:ident),*];)+) => {
        $(
            $(#[doc = $doc])+
            pub(super) const $constant: &Metric = &Metric {
                name: $name,
                kind: MetricType::$kind,
                labels: &[$(stringify!($label)),*],
                help: &[$($doc),+],
            };
        )+

        /// Every row.
        #[cfg(test)]
        pub(super) const ALL: &[&Metric] = &[$($constant),+];
    };
}

metrics! {
    /// Always 1; its labels are the version of the server and the engine of its database.
    BUILD Gauge "cloakroom_build_info" [version, engine];
    /// Requests that were answered. Status 499 is a client that disconnected before the response.
    REQUESTS Counter "cloakroom_http_requests" [route, method, status];
    /// The time from the head of a request to its response, without sending it.
    REQUEST_DURATIONS Histogram "cloakroom_http_request_duration_seconds" [route, method];
    /// Requests that were refused because a limit was reached.
    LIMITS Counter "cloakroom_limits_reached" [limit];
    /// Processor time of the process, in the kernel and outside.
    CPU Counter "process_cpu_seconds" [];
    /// Memory of the process that is in use.
    RESIDENT_MEMORY Gauge "process_resident_memory_bytes" [];
    /// Address space of the process.
    VIRTUAL_MEMORY Gauge "process_virtual_memory_bytes" [];
    /// Open files and connections of the process.
    OPEN_FILES Gauge "process_open_fds" [];
    /// The most files and connections that the process may have open.
    MAX_FILES Gauge "process_max_fds" [];
    /// When the process started, in seconds since 1970.
    STARTED Gauge "process_start_time_seconds" [];
}
