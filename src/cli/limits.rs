//! `cloakroom limits`: shows which limits are in use, and lifts them.

use std::net::IpAddr;

use clap::Subcommand;
use serde_json::json;

use super::database;
use super::output::{Format, table};
use super::user_ref::address;
use crate::audit::Event;
use crate::config::Settings;
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Clock;
use crate::domain::{EmailAddress, SessionId, UserId};
use crate::throttle::{CounterInUse, Subject, Throttle};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List counters, those with the most hits first; addresses are shown as pseudonyms
    List {
        /// Maximum number of rows
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        #[command(flatten)]
        format: Format,
    },
    /// Lift limits before their windows end; takes effect at once
    Lift {
        #[command(flatten)]
        subject: SubjectArg,
        #[command(flatten)]
        format: Format,
    },
}

/// Whose limits.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct SubjectArg {
    /// Of a client, by its IP address, and of the networks that it is in
    #[arg(long, value_name = "IP")]
    client: Option<IpAddr>,
    /// Of an email address
    #[arg(long, value_name = "EMAIL", value_parser = address)]
    address: Option<EmailAddress>,
    /// Of a session
    #[arg(long, value_name = "ID")]
    session: Option<i64>,
    /// Of a user
    #[arg(long, value_name = "ID")]
    user: Option<i64>,
    /// Of all
    #[arg(long)]
    all: bool,
}

pub(super) fn run(settings: &Settings, command: Command) -> super::Outcome {
    database::wait_for(async {
        match command {
            Command::List { limit, format } => list(settings, limit, &format).await,
            Command::Lift { subject, format } => lift(settings, subject, &format).await,
        }
    })
}

async fn list(settings: &Settings, limit: u32, format: &Format) -> super::Outcome {
    let database = database::open(settings)?;
    let (throttle, now) = (open(settings)?, Clock::System.now());
    let counters = database
        .read(move |reader| throttle.list(reader, now, limit))
        .await?;
    format.print(&json!({ "limits": counters }), || {
        let names = ["limit", "subject", "count", "of", "until"];
        table(names, counters.iter().map(row))
    })
}

async fn lift(settings: &Settings, subject: SubjectArg, format: &Format) -> super::Outcome {
    let database = database::open(settings)?;
    let (throttle, subject) = (open(settings)?, subject.subject());
    let user = match &subject {
        Subject::User(id) => Some(*id),
        _ => None,
    };
    let lifted = database.commit(move |change| {
        change.record(Event::LimitsLifted { user });
        throttle.lift(change, &subject)
    });
    let counters = lifted.await?.value;
    format.print(&json!({ "counters": counters }), || match counters {
        1 => "1 counter deleted".to_owned(),
        many => format!("{many} counters deleted"),
    })
}

impl SubjectArg {
    fn subject(self) -> Subject {
        let client = self.client.map(Subject::Client);
        client
            .or(self.address.map(Subject::Address))
            .or(self.session.map(|id| Subject::Session(SessionId(id))))
            .or(self.user.map(|id| Subject::User(UserId(id))))
            .unwrap_or(Subject::All)
    }
}

fn open(settings: &Settings) -> crate::Result<Throttle> {
    let key_ring = KeyRing::open(settings)?;
    Ok(Throttle::new(settings.throttle.clone(), key_ring))
}

fn row(counter: &CounterInUse) -> [String; 5] {
    [
        counter.limit.clone(),
        counter.subject.clone(),
        counter.count.to_string(),
        counter.most.to_string(),
        counter.expires_at.to_string(),
    ]
}
