//! Where log lines go: to standard error, readable or as JSON.

use std::io::IsTerminal;
use std::panic;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};

/// Starts logging for the process.
pub(super) fn start(settings: &Log) -> super::Outcome {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&settings.level)?)
        .with_span_events(FmtSpan::NONE)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match settings.format {
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
    Ok(())
}

/// What our dependencies debug with may quote a request or a mail: whatever level is asked for, that stays out. What
/// we log ourselves is held to say nothing secret.
fn discreet() -> FilterFn {
    FilterFn::new(|event: &Metadata<'_>| {
        let ours = event.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
        ours || *event.level() <= Level::INFO
    })
}
