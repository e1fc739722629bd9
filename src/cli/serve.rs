//! `cloakroom serve`: serves until SIGTERM or SIGINT, then finishes what is in flight.

use std::io::Write;

use tracing_subscriber::EnvFilter;

use crate::config::{Environment, MailTransport, Settings};
use crate::server::{Cloakroom, Server};

pub(super) fn run(settings: Settings) -> super::Outcome {
    super::logs::start(settings.log.format, EnvFilter::try_new(&settings.log.level)?);
    if settings.env == Environment::Production && settings.mail.transport == MailTransport::File {
        tracing::warn!(directory = %settings.mail.directory.display(), "mails are written into a folder and reach nobody");
    }
    actix_web::rt::System::new().block_on(serve(settings))
}

async fn serve(settings: Settings) -> super::Outcome {
    let server = Server::bind(Cloakroom::open(settings)?)?;
    // Signals first: who reads the line may send one at once.
    let asked_to_stop = stop_signal()?;
    let handle = server.handle();
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on http://{}", server.address())?;
    stdout.flush()?;

    actix_web::rt::spawn(async move {
        asked_to_stop.await;
        tracing::info!("stopping: requests in flight are finished");
        handle.stop(true).await;
    });
    Ok(server.run().await?)
}

/// Resolves at the first SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        let (first, second) = (Box::pin(terminate.recv()), Box::pin(interrupt.recv()));
        futures_util::future::select(first, second).await;
    })
}
