//! The ceiling of all mails of an hour, whatever caused them and however many processes send.
//!
//! # Threats
//! - a flood that makes the provider block this server, or costs its fee: mails beyond the ceiling wait, those that
//!   expire meanwhile are given up
//! - a flood of sign-ups that uses up the ceiling: mails of low priority stop at three quarters of it

use std::time::Duration;

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::mail_kind::Priority;
use crate::store::{Transaction, throttles};

const NAME: &str = "mails";
const HOUR: Duration = Duration::from_secs(3600);

/// Counts a mail that is about to be sent. `Some` is when to try again, if as many as there may be were sent.
pub(super) fn count(
    tx: &Transaction<'_>,
    ceiling: u32,
    priority: Priority,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let most = match priority {
        Priority::High => ceiling,
        Priority::Low => ceiling - ceiling / 4,
    };
    match throttles::find(tx, NAME, HOUR, now)? {
        Some(counter) if counter.count >= most => Ok(Some(counter.expires_at)),
        _ => throttles::hit(tx, NAME, HOUR, now).map(|_| None),
    }
}
