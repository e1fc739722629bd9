//! `cloakroom mail`: lists mails and retries failed ones.

use clap::Subcommand;
use serde_json::json;

use super::database;
use super::output::{Format, or_dash, table};
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::mail;
use crate::store::outbox::{self, OutboxEntry};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List mails, newest first
    List {
        /// Maximum number of rows
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        #[command(flatten)]
        format: Format,
    },
    /// Retry a mail that was not sent, with a new link; the running server sends it within seconds
    Retry {
        /// Mail id
        id: i64,
        #[command(flatten)]
        format: Format,
    },
}

pub(super) fn run(settings: &Settings, command: Command) -> super::Outcome {
    database::wait_for(async {
        match command {
            Command::List { limit, format } => list(settings, limit, &format).await,
            Command::Retry { id, format } => retry(settings, id, &format).await,
        }
    })
}

async fn list(settings: &Settings, limit: u32, format: &Format) -> super::Outcome {
    let database = database::open(settings)?;
    let mails = database
        .read(move |reader| outbox::list(reader, limit))
        .await?;
    format.print(&json!({ "mails": mails }), || {
        let names = [
            "id",
            "kind",
            "to",
            "created at",
            "state",
            "attempts",
            "last error",
        ];
        table(names, mails.iter().map(row))
    })
}

async fn retry(settings: &Settings, id: i64, format: &Format) -> super::Outcome {
    let database = database::open(settings)?;
    let now = Clock::System.now();
    let restarted = database.write(move |tx| mail::retry(tx, id, now)).await?;
    if !restarted {
        return Err(format!("no unsent mail with id {id}").into());
    }
    format.print(&json!({ "id": id }), || format!("retrying mail {id}"))
}

fn row(mail: &OutboxEntry) -> [String; 7] {
    let state = match (mail.sent_at, mail.dead_at) {
        (Some(at), _) => format!("sent {at}"),
        (None, Some(at)) => format!("failed {at}"),
        (None, None) => format!("waiting until {}", mail.next_attempt_at),
    };
    [
        mail.id.to_string(),
        mail.kind.clone(),
        mail.email_address.as_str().to_owned(),
        mail.created_at.to_string(),
        state,
        mail.attempts.to_string(),
        or_dash(mail.last_error.as_deref()),
    ]
}
