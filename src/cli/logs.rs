//! Logging to standard error, as text or JSON.

use std::io::{self, IsTerminal};
use std::panic;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// The filter for commands: warnings, errors and the audit events of what they change.
pub(super) fn quiet() -> EnvFilter {
    EnvFilter::new("warn,cloakroom::security=info")
}

/// Starts logging events that pass `filter`.
pub(super) fn start(format: LogFormat, filter: EnvFilter) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        // Else a failing standard error makes the subscriber panic.
        .log_internal_errors(false)
        .with_writer(io::stderr);
    match format {
        LogFormat::Pretty => builder.finish().with(discreet()).init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .finish()
            .with(discreet())
            .init(),
    }
    // A panic's message may contain client input: only its location is logged.
    panic::set_hook(Box::new(|info| {
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(
            location,
            thread = std::thread::current().name().unwrap_or_default(),
            "panic"
        );
    }));
}

/// Keeps DEBUG and TRACE events of dependencies out at any level: they may quote requests or mails. Cloakroom's own
/// events contain no secret.
fn discreet() -> FilterFn {
    FilterFn::new(|event: &Metadata<'_>| {
        let ours = event.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
        ours || *event.level() <= Level::INFO
    })
}
