//! Logging to standard error, as text or JSON: lines of a command by the thread that logs them, those of the server by a
//! thread of their own.

mod json;
mod queue;
mod sink;

use std::io::{self, IsTerminal, Write};
use std::panic;
use std::sync::Arc;
use std::time::Duration;

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use self::json::JsonLines;
use self::queue::{Kind, Queue};
use self::sink::{LOSS, Sink};
use crate::config::LogFormat;
use crate::metrics::Counter;
use crate::server::is_of_client;

/// How long the end of the process waits for what reads the log.
const LONGEST_FLUSH: Duration = Duration::from_secs(5);
/// How long a panic waits for it: the process may abort.
const LONGEST_FLUSH_OF_A_PANIC: Duration = Duration::from_millis(200);

/// The filter for commands: warnings, errors and the audit events of what they change.
pub(super) fn quiet() -> EnvFilter {
    EnvFilter::new("warn,cloakroom::security=info")
}

/// Starts logging events that pass `filter`.
pub(super) fn start(format: LogFormat, filter: EnvFilter) {
    let write = |line: &[u8], _: Kind| {
        // There is nowhere to report it.
        let _ = io::stderr().write_all(line);
    };
    install(format, filter, Sink::new(write));
    set_panic_hook(|| ());
}

/// The same through a queue, for the server.
///
/// # Errors
/// The system refuses a thread.
pub(super) fn start_queue(format: LogFormat, filter: EnvFilter) -> io::Result<Flush> {
    let queue = Queue::start(io::stderr(), |lost| {
        tracing::warn!(
            target: LOSS,
            lines = lost,
            "log lines were lost: what reads standard error is too slow, or was gone"
        );
    })?;
    let adding = Arc::clone(&queue);
    let add = move |line: &[u8], kind: Kind| adding.add(line, kind);
    install(format, filter, Sink::new(add));
    let flushing = Arc::clone(&queue);
    set_panic_hook(move || {
        flushing.flush(LONGEST_FLUSH_OF_A_PANIC);
    });
    Ok(Flush(queue))
}

/// Waits for the lines so far when dropped, at the end of the process.
pub(super) struct Flush(Arc<Queue>);

impl Flush {
    /// The number of lines that were lost since the start.
    pub(super) fn lost(&self) -> Arc<Counter> {
        self.0.lost()
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        self.0.flush(LONGEST_FLUSH);
    }
}

fn install(format: LogFormat, filter: EnvFilter, sink: Sink) {
    let registry = tracing_subscriber::registry().with(filter).with(Discreet);
    match format {
        LogFormat::Pretty => {
            let text = tracing_subscriber::fmt::layer()
                .with_ansi(io::stderr().is_terminal())
                // Else a failing standard error makes the subscriber panic.
                .log_internal_errors(false)
                .with_writer(sink);
            registry.with(text).init();
        }
        LogFormat::Json => registry.with(JsonLines(sink)).init(),
    }
}

/// A panic's message may contain client input: only its location is logged.
fn set_panic_hook(after: impl Fn() + Send + Sync + 'static) {
    panic::set_hook(Box::new(move |info| {
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(
            location,
            thread = std::thread::current().name().unwrap_or_default(),
            "panic"
        );
        after();
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

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    const CHILD: &str = "CLOAKROOM_TEST_OF_LOGS";

    #[test]
    fn a_panic_leaves_its_line_though_the_process_aborts() {
        let name = "cli::logs::tests::a_panic_leaves_its_line_though_the_process_aborts";
        if std::env::var_os(CHILD).is_some() {
            let _flush = start_queue(LogFormat::Json, EnvFilter::new("info")).unwrap();
            tracing::info!("before");
            let _ = panic::catch_unwind(|| panic!("not logged"));
            std::process::abort();
        }
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let log = String::from_utf8(ended.stderr).unwrap();
        let lines: Vec<&str> = log.lines().collect();
        assert!(!ended.status.success());
        assert!(lines[0].contains("before"), "{log}");
        assert!(lines[1].contains("src/cli/logs.rs"), "{log}");
        assert!(!log.contains("not logged"), "{log}");
    }
}
