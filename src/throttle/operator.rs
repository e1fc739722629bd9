//! Limits as operators see and lift them.

use std::net::IpAddr;

use serde::Serialize;

use super::Throttle;
use super::limits::{By, LIMITS, Row};
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{EmailAddress, Network, SessionId, UserId};
use crate::store::{Reader, Transaction, throttles};

/// A counter with hits in its window.
#[derive(Debug, Serialize)]
pub struct CounterInUse {
    /// What is limited: `sign_in`.
    pub limit: String,
    /// A client's network, the pseudonym of an address, or the id of a session or user.
    pub subject: String,
    /// Hits in the window.
    pub count: u32,
    /// The most hits.
    pub most: u32,
    /// When the window ends.
    pub expires_at: Timestamp,
}

/// Whose counters are lifted.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Of a client, with those of the larger networks that it is in.
    Client(IpAddr),
    /// Of an address.
    Address(EmailAddress),
    /// Of a session.
    Session(SessionId),
    /// Of a user.
    User(UserId),
    /// All.
    All,
}

impl Throttle {
    /// The counters with the most hits.
    pub fn list(
        &self,
        reader: &Reader<'_>,
        now: Timestamp,
        at_most: u32,
    ) -> Result<Vec<CounterInUse>> {
        let found = throttles::list(reader, now, at_most)?;
        Ok(found
            .into_iter()
            .filter_map(|(name, counted)| self.describe(&name, counted, now))
            .collect())
    }

    /// Deletes the counters; returns how many there were. An address that was closed is open again, to all.
    pub fn lift(&self, tx: &Transaction<'_>, subject: &Subject) -> Result<usize> {
        if let Subject::All = subject {
            return throttles::clear_subjects(tx);
        }
        let names = LIMITS.iter().flat_map(|row| self.names(row, subject));
        names
            .map(|name| throttles::clear_with_kinds(tx, &name))
            .sum()
    }

    /// Deletes the counters of the codes of a user, whose next authenticator app is another.
    pub fn forget_codes(tx: &Transaction<'_>, user: UserId) -> Result<()> {
        for limit in ["second_factor", "second_factor_guesses"] {
            throttles::clear_with_kinds(tx, &format!("{limit}:{}", user.0))?;
        }
        Ok(())
    }

    fn names(&self, row: &Row, subject: &Subject) -> Vec<String> {
        let counted = match (row.by, subject) {
            (By::Network, Subject::Client(client)) => Network::with_weights(*client)
                .map(|(network, _)| network.to_string())
                .collect(),
            (By::Address, Subject::Address(address)) => vec![self.pseudonym(address.as_str())],
            (By::Mailbox, Subject::Address(address)) => vec![self.pseudonym(&address.mailbox())],
            (By::Session, Subject::Session(id)) => vec![id.0.to_string()],
            (By::User, Subject::User(id)) => vec![id.0.to_string()],
            _ => vec![],
        };
        let name = |counted| format!("{}:{counted}", row.name);
        counted.into_iter().map(name).collect()
    }

    /// `None` for a row that is over, and one that counts nothing.
    fn describe(
        &self,
        name: &str,
        counted: throttles::Counted,
        now: Timestamp,
    ) -> Option<CounterInUse> {
        let (limit, subject) = name.split_once(':')?;
        let row = LIMITS.iter().find(|row| row.name == limit)?;
        let rate = (row.rate)(&self.settings);
        let counts = counted.expires_at <= now + rate.window && !subject.ends_with(":unlocked");
        let weight = match row.by {
            By::Network => weight(subject),
            _ => 1,
        };
        counts.then(|| CounterInUse {
            limit: limit.to_owned(),
            subject: subject.to_owned(),
            count: counted.count,
            most: rate.count.saturating_mul(weight),
            expires_at: counted.expires_at,
        })
    }
}

/// The number of clients that a network stands for.
fn weight(network: &str) -> u32 {
    let first = network.split('/').next().and_then(|text| text.parse().ok());
    first
        .into_iter()
        .flat_map(Network::with_weights)
        .find(|(known, _)| known.to_string() == network)
        .map_or(1, |(_, weight)| weight)
}
