//! `[metrics]`: figures for Prometheus.

use super::declare::section;
use super::problems::Problems;
use super::server::{HOST_AND_PORT, Server, is_host_and_port};
use super::values::unset;

section! {
    /// Figures for Prometheus.
    Metrics {
        /// Address of the listener that serves `/metrics`, `host:port`: "127.0.0.1:9464". It is no part of the public API,
        /// so it has an address of its own. "" is none, because several servers of one machine cannot share a port.
        #[serde(with = "unset")]
        bind: Option<String> = "",
    }
}

impl Metrics {
    pub(super) fn check(&self, server: &Server, problems: &mut Problems) {
        let Some(bind) = &self.bind else {
            return;
        };
        if !is_host_and_port(bind) {
            problems.refuse("metrics.bind", HOST_AND_PORT);
        } else if *bind == server.bind && !bind.ends_with(":0") {
            problems.refuse(
                "metrics.bind",
                "must be another address than server.bind, which serves the public",
            );
        }
    }
}
