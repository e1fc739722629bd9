//! `cloakroom serve`: runs the server until SIGTERM, SIGINT or SIGHUP, then finishes requests in flight.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing_subscriber::EnvFilter;

use super::{doctor, open_files};
use crate::config::{Environment, MailTransport, Settings, Sources};
use crate::metrics::Counter;
use crate::server::{Cloakroom, Server};

/// How long the database may take to close at a stop.
const LONGEST_CLOSE: Duration = Duration::from_secs(5);

pub(super) fn run(settings: Settings, sources: &Sources) -> super::Outcome {
    // Dropped last.
    let log = super::logs::start_queue(
        settings.log.format,
        EnvFilter::try_new(&settings.log.level)?,
    )?;
    if settings.env == Environment::Production && settings.mail.transport == MailTransport::File {
        tracing::warn!(directory = %settings.mail.directory.display(), "mail.transport is \"file\": mails are written to a folder, not sent");
    }
    if settings.server.exposes_cookies() {
        tracing::warn!(
            "server.public_url is http: session cookies are sent without Secure, in clear text"
        );
    }
    for warning in sources.warnings().iter().chain(&settings.warnings()) {
        tracing::warn!("{}: {}", warning.key, warning.message);
    }
    for file in sources.secret_files() {
        if doctor::is_open_to_others(&file) {
            tracing::warn!(file = %file.display(), "other users of this machine can read this file, which contains a secret");
        }
    }
    make_room(&settings)?;
    actix_web::rt::System::new().block_on(serve(settings, log.lost()))
}

/// Raises the soft limit of open files to the hard one: a connection takes one, and shells usually set 1024.
fn make_room(settings: &Settings) -> super::Outcome {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => current,
    };
    let (needed, wanted) = (open_files::needed(settings), open_files::wanted(settings));
    match limit {
        Some(limit) if limit < needed => Err(format!(
            "the system allows {limit} open files, and the server needs {needed}: raise the limit (ulimit -n, LimitNOFILE)"
        )
        .into()),
        Some(limit) if limit < wanted => {
            tracing::warn!(
                limit,
                wanted,
                "server.max_connections may need more open files than the system allows"
            );
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn serve(settings: Settings, lost_log_lines: Arc<Counter>) -> super::Outcome {
    let cloakroom = Cloakroom::open(settings)?;
    cloakroom.context().metrics.note_log(lost_log_lines);
    let database = cloakroom.database().closing();
    let server = Server::bind(cloakroom)?;
    if let Some(address) = server.metrics_address() {
        tracing::info!(%address, "serving metrics");
    }
    // Before the line below: a supervisor that reads it may send a signal at once.
    let asked_to_stop = stop_signal()?;
    let handle = server.handle();
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on http://{}", server.address())?;
    stdout.flush()?;

    actix_web::rt::spawn(async move {
        asked_to_stop.await;
        tracing::info!("stopping: finishing requests in flight");
        handle.stop(true).await;
    });
    server.run().await?;
    // Threads of requests may still hold it. A process that ends before the file is closed leaves a write-ahead log.
    if !database.wait(LONGEST_CLOSE).await {
        tracing::warn!("stopped before the database was closed");
    }
    Ok(())
}

/// Resolves at the first SIGTERM, SIGINT or SIGHUP. A process that was started to ignore SIGHUP, as by `nohup`, still
/// ignores it.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut kinds = vec![SignalKind::terminate(), SignalKind::interrupt()];
    if !ignores_hangup() {
        kinds.push(SignalKind::hangup());
    }
    let signals = kinds.into_iter().map(signal);
    let mut signals = signals.collect::<std::io::Result<Vec<_>>>()?;
    Ok(async move {
        let waiting = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures_util::future::select_all(waiting).await;
    })
}

/// Only Linux tells without unsafe code.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}
