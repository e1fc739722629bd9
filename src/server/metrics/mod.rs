//! Figures for Prometheus: what the parts of the server count and hold, read at a scrape.
//!
//! # Threats
//! - figures about users: labels are names of the program, never of what clients send
//! - a scrape that costs much: it adds up atomics and asks the database nothing

mod declared;
pub(super) mod listener;
mod process;
#[cfg(test)]
mod reference;
mod text;

use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

use self::declared::*;
use self::text::Figures;
use crate::context::Context;
use crate::features;
use crate::metrics::OTHER;
use crate::store::{EngineFigures, PostgresFigures, SqliteFigures};

/// The media type of the text.
pub(super) const MEDIA_TYPE: &str = CONTENT_TYPE;

/// The `provider` of the service of breached passwords.
const BREACHED_PASSWORDS: &str = "breached_passwords";

/// The figures of this moment.
pub(super) fn text(context: &Context) -> String {
    let mut figures = Figures::default();
    requests(context, &mut figures);
    hashes(context, &mut figures);
    database(context, &mut figures);
    mails(context, &mut figures);
    calls(context, &mut figures);
    if let Some(lost) = context.metrics.lost_log_lines() {
        figures.count(LOG_LINES_LOST, lost);
    }
    process::add(&mut figures);
    figures.text()
}

fn requests(context: &Context, figures: &mut Figures) {
    let routes = features::enabled_routes(&context.settings).paths();
    let counted = context.metrics.requests.get();
    let route = |number: usize| routes.get(number).copied().unwrap_or(OTHER);
    let counts = counted.iter().flat_map(|it| {
        it.statuses.iter().map(|(status, count)| {
            let status = status.map_or(OTHER.to_owned(), |status| status.to_string());
            let labels = [route(it.route).to_owned(), it.method.to_owned(), status];
            (labels, *count)
        })
    });
    figures.counts(REQUESTS, counts);
    let durations = counted.into_iter();
    figures.durations(
        REQUEST_DURATIONS,
        durations.map(|it| ([route(it.route), it.method], it.durations)),
    );
    let limits = context.metrics.limits.get();
    figures.counts(LIMITS, limits.map(|(name, count)| ([name], count)));
    let events = context.metrics.events.get();
    figures.counts(EVENTS, events.map(|(name, count)| ([name], count)));
}

fn hashes(context: &Context, figures: &mut Figures) {
    let pool = context.passwords.figures();
    figures.count(HASHES_WAITING, pool.waiting as u64);
    figures.count(HASH_PLACES_TAKEN, pool.taken as u64);
    figures.count(HASH_PLACES, pool.limit as u64);
    figures.count(HASHES_UNDER_WAY, pool.under_way as u64);
    figures.durations(HASH_WAITS, [([""; 0], pool.waits)]);
    figures.count(HASHES_REFUSED, pool.refused);
}

fn database(context: &Context, figures: &mut Figures) {
    let database = context.database.figures();
    let engine = match &database.engine {
        EngineFigures::Sqlite(_) => "sqlite",
        EngineFigures::Postgres(_) => "postgresql",
    };
    figures.counts(BUILD, [([env!("CARGO_PKG_VERSION"), engine], 1)]);
    figures.count(DATABASE_UP, database.is_up.into());
    match database.engine {
        EngineFigures::Sqlite(engine) => sqlite(engine, figures),
        EngineFigures::Postgres(engine) => postgresql(engine, figures),
    }
    figures.count(REVOKED_SESSIONS, database.revoked_sessions as u64);
    figures.number(REVOCATIONS_AGE, database.revocations_age.as_secs_f64());
    if let Some(live) = context.metrics.held().live_sessions {
        figures.count(SESSIONS, live);
    }
}

fn sqlite(engine: SqliteFigures, figures: &mut Figures) {
    figures.sizes(BATCHES, engine.batches);
    figures.durations(COMMITS, [([""; 0], engine.commits)]);
    figures.count(COMMITS_FAILED, engine.failed);
    figures.count(WRITES_REFUSED, engine.refused);
    figures.count(FILE_SIZE, engine.file_bytes);
    figures.count(LOG_SIZE, engine.log_bytes);
}

fn postgresql(engine: PostgresFigures, figures: &mut Figures) {
    let connections = [
        (["allowed"], engine.threads as u64),
        (["open"], engine.connected as u64),
        (["idle"], engine.idle as u64),
    ];
    figures.counts(CONNECTIONS, connections);
    let waiting = [
        (["read"], engine.waiting_reads as u64),
        (["write"], engine.waiting_writes as u64),
    ];
    figures.counts(JOBS_WAITING, waiting);
    figures.durations(JOB_WAITS, [([""; 0], engine.waits)]);
    figures.count(JOBS_REFUSED, engine.refused);
    figures.count(RETRIES, engine.repeated);
    figures.count(TRANSACTIONS_GIVEN_UP, engine.given_up);
}

fn mails(context: &Context, figures: &mut Figures) {
    let outcomes = context.mail_worker.outcomes();
    figures.counts(MAILS, outcomes.map(|(name, count)| ([name], count)));
    let held = context.metrics.held();
    if let Some((waiting, oldest)) = held.waiting_mails {
        let now = context.clock.now();
        let age = oldest.map(|oldest| now.since(oldest)).unwrap_or_default();
        figures.count(MAILS_WAITING, waiting);
        figures.number(OLDEST_MAIL, age.as_secs_f64());
    }
    if let Some(dead) = held.dead_mails {
        figures.count(MAILS_DEAD, dead);
    }
}

fn calls(context: &Context, figures: &mut Figures) {
    for provider in context.providers.iter() {
        let (name, calls) = (provider.name.as_str(), provider.calls());
        let outcomes = calls.outcomes();
        figures.counts(
            CALLS,
            outcomes.map(|(outcome, count)| ([name, outcome], count)),
        );
        figures.counts(CIRCUITS_OPEN, [([name], calls.resting_hosts() as u64)]);
    }
    if let Some(outcomes) = context.breached_passwords.outcomes() {
        let outcomes = outcomes.get();
        let counts = outcomes.map(|(outcome, count)| ([BREACHED_PASSWORDS, outcome], count));
        figures.counts(CALLS, counts);
    }
}
