//! Limits by client network and by email address, counted in the store so that neither a restart nor
//! a second process forgets them.
//!
//! A hit is counted before the work that it pays for, in one transaction with its neighbours: however many race,
//! no more than the limit get through.

use std::net::IpAddr;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::{self, Limit};
use crate::error::Result;
use crate::keys::{Keys, Purpose};
use crate::signed::pseudonym;
use crate::store::throttles::{self, Tally};
use crate::store::{Database, Transaction};

/// A limit on something, for somebody.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What is limited: `sign_in`. For the log.
    pub what: &'static str,
    name: String,
    limit: Limit,
}

/// A rule that is exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which: `sign_in`.
    pub what: &'static str,
    /// How long until its window ends.
    pub wait: Duration,
}

/// The rules, as configured.
#[derive(Debug)]
pub struct Throttle {
    settings: config::Throttle,
    keys: Keys,
}

impl Throttle {
    /// From the settings; addresses are counted under pseudonyms made with `keys`.
    pub fn new(settings: config::Throttle, keys: Keys) -> Self {
        Self { settings, keys }
    }

    /// Sign-ins of one client.
    pub fn sign_in(&self, client: IpAddr) -> Rule {
        by_client("sign_in", client, self.settings.sign_in)
    }

    /// Sign-ups of one client.
    pub fn sign_up(&self, client: IpAddr) -> Rule {
        by_client("sign_up", client, self.settings.sign_up)
    }

    /// New passwords that one client sets by links: as many as it may sign up, each costs as much.
    pub fn new_password(&self, client: IpAddr) -> Rule {
        by_client("new_password", client, self.settings.sign_up)
    }

    /// Reset requests of one client.
    pub fn reset(&self, client: IpAddr) -> Rule {
        by_client("reset", client, self.settings.reset)
    }

    /// Failed sign-ins to one address, whether anybody has it or not.
    pub fn address_failures(&self, address: &str) -> Rule {
        self.by_address("address_failures", address, self.settings.address_failures)
    }

    /// Reset mails to one address, whether anybody has it or not.
    pub fn reset_mails(&self, address: &str) -> Rule {
        self.by_address("reset_mails", address, self.settings.reset_mails)
    }

    /// Counts one hit of each rule and gives the first that is exhausted, if any.
    pub async fn admit(
        &self,
        database: &Database,
        rules: Vec<Rule>,
        now: Timestamp,
    ) -> Result<Option<Refusal>> {
        if !self.settings.enabled {
            return Ok(None);
        }
        // Who is over a limit already costs a read and no write, however often they come.
        let asked = rules.clone();
        let refusal = database
            .read(move |reader| {
                first_refusal(
                    &asked,
                    |rule| {
                        let tally = throttles::find(reader, &rule.name, now)?;
                        Ok(tally.filter(|tally| tally.count >= rule.limit.count))
                    },
                    now,
                )
            })
            .await?;
        if refusal.is_some() {
            return Ok(refusal);
        }
        database
            .write(move |tx| {
                first_refusal(
                    &rules,
                    |rule| {
                        let tally = throttles::hit(tx, &rule.name, rule.limit.window, now)?;
                        Ok(Some(tally).filter(|tally| tally.count > rule.limit.count))
                    },
                    now,
                )
            })
            .await
    }

    /// Whether a rule admits one more hit, and counts it if so, inside a transaction of the caller's.
    pub fn admits(&self, tx: &Transaction<'_>, rule: &Rule, now: Timestamp) -> Result<bool> {
        Ok(!self.settings.enabled
            || throttles::hit(tx, &rule.name, rule.limit.window, now)?.count <= rule.limit.count)
    }

    fn by_address(&self, what: &'static str, address: &str, limit: Limit) -> Rule {
        let name = format!("{what}:{}", pseudonym(&self.keys, Purpose::ThrottledAddress, address));
        Rule { what, name, limit }
    }
}

impl Rule {
    /// Forgets the hits, inside a transaction of the caller's.
    pub fn forgive(&self, tx: &Transaction<'_>) -> Result<()> {
        throttles::clear(tx, &self.name)
    }
}

/// Looks at every rule, so that each is counted, and gives the first of those that are over.
fn first_refusal(
    rules: &[Rule],
    over: impl Fn(&Rule) -> Result<Option<Tally>>,
    now: Timestamp,
) -> Result<Option<Refusal>> {
    let mut first = None;
    for rule in rules {
        if let Some(tally) = over(rule)? {
            first = first.or(Some(Refusal { what: rule.what, wait: tally.expires_at.since(now) }));
        }
    }
    Ok(first)
}

fn by_client(what: &'static str, client: IpAddr, limit: Limit) -> Rule {
    Rule { what, name: format!("{what}:{}", network(client)), limit }
}

/// An IPv4 address, or the /64 that one IPv6 customer has all of.
fn network(client: IpAddr) -> String {
    match client {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_is_limited_by_the_64_and_ipv4_by_the_address() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
