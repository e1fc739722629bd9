//! `cloakroom events`: reads the audit trail.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::CommandError;
use super::database;
use super::output::{Format, note, or_dash, table};
use super::user_ref::UserRef;
use crate::audit::KINDS;
use crate::config::{Settings, parse_duration};
use crate::domain::UserId;
use crate::domain::clock::{Clock, Timestamp};
use crate::store::audit_events::{self, AuditEvent, Filter};
use crate::store::users;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Events of this user: an id or an email address
    #[arg(long)]
    user: Option<UserRef>,
    /// Events of this kind, such as `signed_in`
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(KINDS), hide_possible_values = true)]
    kind: Option<String>,
    /// Events from then on: a time, or a duration before now such as `7d`
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<Timestamp>,
    /// Events before then: a time, or a duration before now
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: Option<Timestamp>,
    /// Maximum number of rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Events with ids below this one: the next page
    #[arg(long, value_name = "ID", default_value_t = i64::MAX, hide_default_value = true)]
    before: i64,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(settings: &Settings, arguments: Arguments) -> super::Outcome {
    database::wait_for(list(settings, arguments))
}

async fn list(settings: &Settings, arguments: Arguments) -> super::Outcome {
    let database = database::open(settings)?;
    let (limit, before) = (arguments.limit, arguments.before);
    let mut filter = Filter {
        user_id: None,
        kind: arguments.kind,
        since: arguments.since,
        until: arguments.until,
    };
    if let Some(user) = arguments.user {
        filter.user_id = Some(id_of(&database, user).await?);
    }
    let mut events = database
        .read(move |reader| audit_events::list(reader, &filter, before, limit + 1))
        .await?;
    let has_more = events.len() > limit as usize;
    events.truncate(limit as usize);
    let next_before = events.last().filter(|_| has_more).map(|last| last.id);

    let ids: Vec<UserId> = events.iter().filter_map(of_user).collect();
    let addresses = database.read(move |reader| {
        let mut addresses = BTreeMap::new();
        for id in ids {
            if let Some(account) = users::find(reader, id)? {
                addresses.insert(id.0, account.user.email_address.as_str().to_owned());
            }
        }
        Ok(addresses)
    });
    let addresses = addresses.await?;
    let views: Vec<Value> = events.iter().map(|event| view(event, &addresses)).collect();
    let document = json!({ "events": views, "next_before": next_before });
    arguments.format.print(&document, || {
        let names = [
            "id",
            "at",
            "event",
            "user",
            "actor",
            "ip address",
            "details",
            "user agent",
        ];
        table(names, events.iter().map(|event| row(event, &addresses)))
    })?;
    if let Some(next) = next_before {
        note(&format!("more: --before {next}"));
    }
    Ok(())
}

/// An id may be that of an account that was deleted: its events are kept.
async fn id_of(database: &database::Opened<'_>, user: UserRef) -> Result<UserId, CommandError> {
    if let UserRef::Id(id) = user {
        return Ok(id);
    }
    let asked = user.clone();
    let found = database.read(move |reader| asked.find(reader)).await?;
    Ok(user.require(found)?.user.id)
}

/// A time in RFC 3339, or a duration before now.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Some(at) = Timestamp::parse(text) {
        return Ok(at);
    }
    match parse_duration(text) {
        Ok(before_now) => Ok(Clock::System.now() - before_now),
        Err(_) => Err(
            r#"must be a duration such as "7d", or a time such as 2026-11-30T00:00:00Z"#.to_owned(),
        ),
    }
}

fn of_user(event: &AuditEvent) -> Option<UserId> {
    event.event.told.user_id
}

fn details(event: &AuditEvent) -> Value {
    serde_json::from_str(&event.event.told.details).unwrap_or_default()
}

fn view(event: &AuditEvent, addresses: &BTreeMap<i64, String>) -> Value {
    let (told, origin) = (&event.event.told, &event.event.origin);
    json!({
        "id": event.id,
        "at": told.at,
        "event": told.kind,
        "outcome": told.outcome,
        "user_id": told.user_id,
        "email_address": of_user(event).and_then(|id| addresses.get(&id.0)),
        "session_id": told.session_id,
        "api_key_id": told.api_key_id,
        "actor": told.actor,
        "actor_id": told.actor_id,
        "ip_address": origin.ip_address,
        "user_agent": origin.user_agent,
        "request_id": told.request_id,
        "repeats": told.repeats,
        "details": details(event),
        "sealed": event.position.is_some(),
    })
}

fn row(event: &AuditEvent, addresses: &BTreeMap<i64, String>) -> [String; 8] {
    let (told, origin) = (&event.event.told, &event.event.origin);
    let user = of_user(event).map(|id| match addresses.get(&id.0) {
        Some(address) => format!("{} ({address})", id.0),
        None => id.0.to_string(),
    });
    let kind = match told.repeats {
        1 => told.kind.clone(),
        many => format!("{} x {many}", told.kind),
    };
    let actor = told.actor.as_deref().map(|actor| match told.actor_id {
        Some(id) => format!("{actor} {id}"),
        None => actor.to_owned(),
    });
    [
        event.id.to_string(),
        told.at.to_string(),
        kind,
        or_dash(user),
        or_dash(actor),
        or_dash(origin.ip_address.as_deref()),
        in_words(event),
        or_dash(origin.user_agent.as_deref()),
    ]
}

/// The details, and the session or key that it concerns: `session=4 methods=pwd,otp`.
fn in_words(event: &AuditEvent) -> String {
    let told = &event.event.told;
    let ids = [
        ("session", told.session_id.map(|id| id.0)),
        ("key", told.api_key_id.map(|id| id.0)),
    ];
    let mut words: Vec<String> = ids
        .iter()
        .filter_map(|(name, id)| Some(format!("{name}={}", (*id)?)))
        .collect();
    for (name, value) in details(event).as_object().into_iter().flatten() {
        words.push(match value {
            Value::String(text) => format!("{name}={text}"),
            Value::Array(values) => {
                let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                format!("{name}={}", values.join(","))
            }
            other => format!("{name}={other}"),
        });
    }
    match words.is_empty() {
        true => "-".to_owned(),
        false => words.join(" "),
    }
}
