//! Where log lines go: to standard error, readable or as JSON.

use std::io::{self, IsTerminal};
use std::panic;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// What commands log: their output says the rest.
pub(super) fn quiet() -> EnvFilter {
    EnvFilter::new("warn")
}

/// Starts logging what passes `filter`.
pub(super) fn start(format: LogFormat, filter: EnvFilter) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        // Where standard error cannot be written, it would be told on standard error, with a panic.
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
    // A panic's message may hold what a caller sent: its place is enough.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(
            place,
            thread = std::thread::current().name().unwrap_or_default(),
            "a panic"
        );
    }));
}

/// What our dependencies debug with may quote a request or a mail: whatever level is asked for, that stays out. What
/// we log ourselves is held to say nothing secret.
fn discreet() -> FilterFn {
    FilterFn::new(|event: &Metadata<'_>| {
        let ours = event.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
        ours || *event.level() <= Level::INFO
    })
}
