//! Logging to standard error, as text or JSON.

use std::io::{self, IsTerminal};
use std::panic;

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;
use crate::server::is_of_client;

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
        LogFormat::Pretty => builder.finish().with(Discreet).init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .finish()
            .with(Discreet)
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

/// Keeps out of the log, at any level:
///
/// - DEBUG and TRACE events of dependencies, which may quote requests or mails. Cloakroom's own events contain no secret
/// - errors of clients, which are no alert for the operator
struct Discreet;

impl<S: Subscriber> Layer<S> for Discreet {
    fn enabled(&self, event: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let ours = event.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
        ours || *event.level() <= Level::INFO
    }

    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        !is_of_client(event)
    }
}
