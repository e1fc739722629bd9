//! Limits on attempts by client network, address, session and user. The counters are in the store, so that restarts and
//! further processes share them.
//!
//! # Threats
//! - guessing and floods by concurrent requests: a hit is counted in a transaction before the work, so that no more than
//!   the limit are admitted
//! - an attacker who uses up the limit of an owner's address: a link mailed to the owner grants a bypass, a counter for
//!   the network from which the owner opened it
//! - one IPv6 customer with many addresses: a /64 counts as one client

mod limits;

use std::net::IpAddr;
use std::time::Duration;

use crate::config::{self, Rate};
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{Database, Reader, Transaction, throttles};

/// One counter of a limit: what is limited, and for which client, address, session or user.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What is limited: `sign_in`. For the log.
    pub what: &'static str,
    /// The name of the counter of all hits.
    shared: String,
    /// The name of the counter of this client's network, which counts instead once a bypass was granted.
    personal: Option<String>,
    rate: Rate,
}

/// A hit that was admitted, as it was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Hits in this window, including this one.
    pub count: u32,
    /// The most hits in a window.
    pub limit: u32,
    /// When the window ends.
    pub expires_at: Timestamp,
    /// Whether the counter is that of all hits, and not of one network.
    pub shared: bool,
}

impl Count {
    /// The hits that are left.
    pub fn left(&self) -> u32 {
        self.limit.saturating_sub(self.count)
    }
}

/// The decision about hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// All are admitted: their counts, in the order of the limits; empty while limits are disabled.
    Admitted(Vec<Count>),
    /// One limit is exhausted.
    Refused(Throttled),
}

/// An exhausted limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// Its name: `sign_in`.
    pub what: &'static str,
    /// The time until its window ends.
    pub wait: Duration,
}

/// The limits with their configured rates.
#[derive(Clone, Debug)]
pub struct Throttle {
    settings: config::Throttle,
    key_ring: KeyRing,
}

impl Throttle {
    /// From the settings; `key_ring` derives the pseudonyms under which addresses are counted.
    pub fn new(settings: config::Throttle, key_ring: KeyRing) -> Self {
        Self { settings, key_ring }
    }

    /// Counts one hit of each limit, in their order, up to the first that is exhausted.
    pub async fn admit(
        &self,
        database: &Database,
        limits: Vec<Limit>,
        now: Timestamp,
    ) -> Result<Decision> {
        if !self.settings.enabled || limits.is_empty() {
            return Ok(Decision::Admitted(Vec::new()));
        }
        // A client beyond a limit costs a read and no write.
        let asked = limits.clone();
        let over = database.read(move |reader| {
            asked
                .iter()
                .try_fold(None, |first: Option<Throttled>, limit| {
                    let count = limit.look(reader, now)?.filter(|count| count.left() == 0);
                    Ok(first.or(count.map(|count| limit.refuse(count, now))))
                })
        });
        if let Some(refusal) = over.await? {
            return Ok(Decision::Refused(refusal));
        }
        database
            .write(move |tx| {
                let mut counts = Vec::with_capacity(limits.len());
                for limit in &limits {
                    let count = limit.hit(tx, now)?;
                    // The following limits are not counted: an attempt that is never checked must not exhaust the limit
                    // of an address, since its owner would get no unlock mail.
                    if count.count > count.limit {
                        return Ok(Decision::Refused(limit.refuse(count, now)));
                    }
                    counts.push(count);
                }
                Ok(Decision::Admitted(counts))
            })
            .await
    }

    /// Whether a limit admits one more hit, in the caller's transaction; an admitted hit is counted.
    pub fn admits(&self, tx: &Transaction<'_>, limit: &Limit, now: Timestamp) -> Result<bool> {
        Ok(self.refusal(tx, limit, now)?.is_none())
    }

    /// As [`Throttle::admits`], returning the refusal. A refused hit costs no write.
    pub fn refusal(
        &self,
        tx: &Transaction<'_>,
        limit: &Limit,
        now: Timestamp,
    ) -> Result<Option<Throttled>> {
        if !self.settings.enabled {
            return Ok(None);
        }
        match limit.look(tx, now)?.filter(|count| count.left() == 0) {
            Some(count) => Ok(Some(limit.refuse(count, now))),
            None => limit.hit(tx, now).map(|_| None),
        }
    }
}

/// These run in the caller's transaction.
impl Limit {
    fn new(what: &'static str, counted: &str, rate: Rate) -> Self {
        Self {
            what,
            shared: format!("{what}:{counted}"),
            personal: None,
            rate,
        }
    }

    /// Resets the counter. Where a bypass was granted to this client's network, it resets that counter and extends the
    /// bypass for another window.
    pub fn forgive(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
        match self.bypass(tx, now)? {
            Some((personal, _)) => throttles::grant(tx, personal, self.rate.window, now),
            None => throttles::clear(tx, &self.shared),
        }
    }

    /// Whether the window that ends at `window_end` is still counted and exhausted.
    pub fn is_exhausted(
        &self,
        reader: &Reader<'_>,
        window_end: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let counted = throttles::find(reader, &self.shared, now)?;
        Ok(counted.is_some_and(|counted| {
            counted.expires_at == window_end && self.count(counted, true).left() == 0
        }))
    }

    /// Resets the counter of the window that ends at `window_end` and grants this client's network a bypass; `false`,
    /// without effect, when that window is no longer counted. Of two concurrent calls one succeeds.
    pub fn unlock(
        &self,
        tx: &Transaction<'_>,
        window_end: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let unlocked = throttles::clear_window(tx, &self.shared, window_end)?;
        if unlocked {
            self.grant(tx, now)?;
        }
        Ok(unlocked)
    }

    /// Resets the counter and grants this client's network a bypass.
    pub fn grant_bypass(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
        throttles::clear(tx, &self.shared)?;
        self.grant(tx, now)
    }

    fn grant(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
        match &self.personal {
            Some(personal) => throttles::grant(tx, personal, self.rate.window, now),
            None => Ok(()),
        }
    }

    fn hit(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<Count> {
        let bypass = self.bypass(tx, now)?;
        let name = bypass.map_or(self.shared.as_str(), |(personal, _)| personal);
        Ok(self.count(
            throttles::hit(tx, name, self.rate.window, now)?,
            bypass.is_none(),
        ))
    }

    /// The count of the counter that applies; `None` when it has no current window.
    fn look(&self, reader: &Reader<'_>, now: Timestamp) -> Result<Option<Count>> {
        match self.bypass(reader, now)? {
            Some((_, counted)) => Ok(Some(self.count(counted, false))),
            None => {
                let counted = throttles::find(reader, &self.shared, now)?;
                Ok(counted.map(|counted| self.count(counted, true)))
            }
        }
    }

    /// The counter of this client's network, where a bypass was granted.
    fn bypass(
        &self,
        reader: &Reader<'_>,
        now: Timestamp,
    ) -> Result<Option<(&str, throttles::Counter)>> {
        let Some(personal) = &self.personal else {
            return Ok(None);
        };
        Ok(throttles::find(reader, personal, now)?.map(|counted| (personal.as_str(), counted)))
    }

    fn count(&self, counted: throttles::Counter, shared: bool) -> Count {
        Count {
            count: counted.count,
            limit: self.rate.count,
            expires_at: counted.expires_at,
            shared,
        }
    }

    fn refuse(&self, count: Count, now: Timestamp) -> Throttled {
        Throttled {
            what: self.what,
            wait: count.expires_at.since(now),
        }
    }
}

/// An IPv4 address, or an IPv6 /64, all of which one customer has.
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
    fn ipv6_is_limited_by_64_and_ipv4_by_address() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
