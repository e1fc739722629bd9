//! Figures for Prometheus: what the parts of the server count and hold, read at a scrape.
//!
//! # Threats
//! - figures about users: labels are names of the program, never of what clients send
//! - a scrape that costs much: it adds up atomics and asks the database for what indexes answer

mod declared;
pub(super) mod listener;
mod process;
#[cfg(test)]
mod reference;
mod text;

use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

use self::declared::{BUILD, LIMITS, REQUEST_DURATIONS, REQUESTS};
use self::text::Figures;
use crate::context::Context;
use crate::features;
use crate::metrics::OTHER;

/// The media type of the text.
pub(super) const MEDIA_TYPE: &str = CONTENT_TYPE;

/// The figures of this moment.
pub(super) fn text(context: &Context) -> String {
    let mut figures = Figures::default();
    let engine = match context.database.path() {
        Some(_) => "sqlite",
        None => "postgresql",
    };
    figures.numbers(BUILD, [([env!("CARGO_PKG_VERSION"), engine], 1.0)]);
    requests(context, &mut figures);
    let limits = context.metrics.limits.get();
    figures.counts(LIMITS, limits.map(|(name, count)| ([name], count)));
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
}
