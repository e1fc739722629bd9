//! Limits by client network, email address, session and user, counted in the store so that neither a restart nor
//! a second process forgets them.
//!
//! A hit is counted before the work that it pays for, in one transaction with its neighbours: however many race,
//! no more than the limit get through.
//!
//! A limit by address would let anybody shut out whoever has it. So a link that was mailed to them opens it for the
//! network that they use it from: its tries have a counter of their own then, which nobody elsewhere can fill.

use std::net::IpAddr;
use std::time::Duration;

use crate::config::{self, Rate};
use crate::crypto::key_ring::{KeyRing, Purpose};
use crate::crypto::signed_message::pseudonym;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{SessionId, UserId};
use crate::store::{Database, Reader, Transaction, throttles};

/// A limit on something, for somebody.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What is limited: `sign_in`. For the log.
    pub what: &'static str,
    /// What everybody's hits are counted under.
    shared: String,
    /// What those of this client's network are, once the rule was opened for it.
    personal: Option<String>,
    limit: Rate,
}

/// A hit that was let through, as it was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Hits in this window, with this one.
    pub count: u32,
    /// How many there may be.
    pub limit: u32,
    /// When the window ends.
    pub expires_at: Timestamp,
    /// Whether everybody's hits are counted here, or those of one network alone.
    pub shared: bool,
}

impl Count {
    /// How many hits are left.
    pub fn left(&self) -> u32 {
        self.limit.saturating_sub(self.count)
    }
}

/// What became of hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// All were let through: their tallies, in the rules' order. None while limits are off.
    Admitted(Vec<Count>),
    /// One rule was exhausted.
    Refused(Throttled),
}

/// A rule that is exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled {
    /// Which: `sign_in`.
    pub what: &'static str,
    /// How long until its window ends.
    pub wait: Duration,
}

/// The rules, as configured.
#[derive(Clone, Debug)]
pub struct Throttle {
    settings: config::Throttle,
    key_ring: KeyRing,
}

impl Throttle {
    /// From the settings; addresses are counted under pseudonyms made with `key_ring`.
    pub fn new(settings: config::Throttle, key_ring: KeyRing) -> Self {
        Self { settings, key_ring }
    }

    /// Sign-ins of one client.
    pub fn sign_in(&self, client: IpAddr) -> Limit {
        by_client("sign_in", client, self.settings.sign_in)
    }

    /// Sign-ups of one client.
    pub fn sign_up(&self, client: IpAddr) -> Limit {
        by_client("sign_up", client, self.settings.sign_up)
    }

    /// New passwords that one client sets, by link or in an account: as many as it may sign up, each costs as much.
    pub fn new_password(&self, client: IpAddr) -> Limit {
        by_client("new_password", client, self.settings.sign_up)
    }

    /// Passwords given again by one client: as many as it may sign up, each costs as much.
    pub fn challenges_of_client(&self, client: IpAddr) -> Limit {
        by_client("challenges_of_client", client, self.settings.sign_up)
    }

    /// Reset requests of one client.
    pub fn reset(&self, client: IpAddr) -> Limit {
        by_client("reset", client, self.settings.reset)
    }

    /// Confirmation links asked for by one client.
    pub fn confirmation(&self, client: IpAddr) -> Limit {
        by_client("confirmation", client, self.settings.confirmation)
    }

    /// Failed sign-ins to one address, whether anybody has it or not. It can be opened for the client's network.
    pub fn address_failures(&self, address: &str, client: IpAddr) -> Limit {
        let rule = self.by_address("address_failures", address, self.settings.address_failures);
        let personal = self
            .settings
            .enabled
            .then(|| format!("{}:{}", rule.shared, network(client)));
        Limit { personal, ..rule }
    }

    /// Reset mails to one address, whether anybody has it or not.
    pub fn reset_mails(&self, address: &str) -> Limit {
        self.by_address("reset_mails", address, self.settings.reset_mails)
    }

    /// Confirmation mails on request to one address, whether anybody has it or not.
    pub fn confirmation_mails(&self, address: &str) -> Limit {
        self.by_address(
            "confirmation_mails",
            address,
            self.settings.confirmation_mails,
        )
    }

    /// Confirmation mails to one address at sign-up. Kept apart from those on request: otherwise requests for
    /// an address that has no account yet could use up the mails its owner needs at sign-up.
    pub fn sign_up_mails(&self, address: &str) -> Limit {
        self.by_address("sign_up_mails", address, self.settings.confirmation_mails)
    }

    /// Confirmation mails to one address that a user wants to change to; apart for the same reason.
    pub fn address_change_mails(&self, address: &str) -> Limit {
        self.by_address(
            "address_change_mails",
            address,
            self.settings.confirmation_mails,
        )
    }

    /// Notices of one kind to one address.
    pub fn notices(&self, kind: &str, address: &str) -> Limit {
        let rule = self.by_address("notices", address, self.settings.notices);
        Limit {
            shared: format!("{}:{kind}", rule.shared),
            ..rule
        }
    }

    /// Passwords given again on one session.
    pub fn challenges(&self, session: SessionId) -> Limit {
        by_id("challenges", session.0, self.settings.challenges)
    }

    /// New addresses that one user asks for.
    pub fn address_changes(&self, user: UserId) -> Limit {
        by_id("address_changes", user.0, self.settings.address_changes)
    }

    /// API keys that one user makes.
    pub fn api_keys(&self, user: UserId) -> Limit {
        by_id("api_keys", user.0, self.settings.api_keys)
    }

    /// Access tokens that one user gets for a session or a refresh token.
    pub fn tokens(&self, user: UserId) -> Limit {
        by_id("tokens", user.0, self.settings.tokens)
    }

    /// Counts one hit of each rule, in their order, up to the first that is exhausted.
    pub async fn admit(
        &self,
        database: &Database,
        rules: Vec<Limit>,
        now: Timestamp,
    ) -> Result<Decision> {
        if !self.settings.enabled || rules.is_empty() {
            return Ok(Decision::Admitted(Vec::new()));
        }
        // Who is over a limit already costs a read and no write, however often they come.
        let asked = rules.clone();
        let over = database.read(move |reader| {
            asked
                .iter()
                .try_fold(None, |first: Option<Throttled>, rule| {
                    let count = rule.look(reader, now)?.filter(|count| count.left() == 0);
                    Ok(first.or(count.map(|count| rule.refuse(count, now))))
                })
        });
        if let Some(refusal) = over.await? {
            return Ok(Decision::Refused(refusal));
        }
        database
            .write(move |tx| {
                let mut counts = Vec::with_capacity(rules.len());
                for rule in &rules {
                    let count = rule.hit(tx, now)?;
                    // Those behind it are not counted: a try that is never checked must not be the one that shuts an
                    // address, for nobody would mail its owner then.
                    if count.count > count.limit {
                        return Ok(Decision::Refused(rule.refuse(count, now)));
                    }
                    counts.push(count);
                }
                Ok(Decision::Admitted(counts))
            })
            .await
    }

    /// Whether a rule admits one more hit, and counts it if so, inside a transaction of the caller's.
    pub fn admits(&self, tx: &Transaction<'_>, rule: &Limit, now: Timestamp) -> Result<bool> {
        Ok(self.refusal(tx, rule, now)?.is_none())
    }

    /// The same, and why not. A hit that is refused costs no write.
    pub fn refusal(
        &self,
        tx: &Transaction<'_>,
        rule: &Limit,
        now: Timestamp,
    ) -> Result<Option<Throttled>> {
        if !self.settings.enabled {
            return Ok(None);
        }
        match rule.look(tx, now)?.filter(|count| count.left() == 0) {
            Some(count) => Ok(Some(rule.refuse(count, now))),
            None => rule.hit(tx, now).map(|_| None),
        }
    }

    fn by_address(&self, what: &'static str, address: &str, limit: Rate) -> Limit {
        let shared = format!(
            "{what}:{}",
            pseudonym(&self.key_ring, Purpose::ThrottledAddress, address)
        );
        Limit {
            what,
            shared,
            personal: None,
            limit,
        }
    }
}

/// All of it inside a transaction of the caller's.
impl Limit {
    /// Forgets the hits: everybody's or, where the rule was opened for this client's network, its own, and keeps it
    /// open for another window.
    pub fn forgive(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
        match self.opened(tx, now)? {
            Some((personal, _)) => throttles::grant(tx, personal, self.limit.window, now),
            None => throttles::clear(tx, &self.shared),
        }
    }

    /// Whether everybody's hits of the window that ends at `window_end` still shut it.
    pub fn is_shut(
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

    /// Forgets everybody's hits of the window that ends at `window_end` and opens the rule for this client's network;
    /// `false`, and nothing done, when that window is no longer counted. Of two that race one wins.
    pub fn unlock(
        &self,
        tx: &Transaction<'_>,
        window_end: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let lifted = throttles::clear_window(tx, &self.shared, window_end)?;
        if lifted {
            self.open(tx, now)?;
        }
        Ok(lifted)
    }

    /// Forgets everybody's hits and opens the rule for this client's network.
    pub fn grant_bypass(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
        throttles::clear(tx, &self.shared)?;
        self.open(tx, now)
    }

    fn open(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
        match &self.personal {
            Some(personal) => throttles::grant(tx, personal, self.limit.window, now),
            None => Ok(()),
        }
    }

    fn hit(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<Count> {
        let opened = self.opened(tx, now)?;
        let name = opened.map_or(self.shared.as_str(), |(personal, _)| personal);
        Ok(self.count(
            throttles::hit(tx, name, self.limit.window, now)?,
            opened.is_none(),
        ))
    }

    /// The tally of the counter that holds; `None` when nothing was counted in a window that runs.
    fn look(&self, reader: &Reader<'_>, now: Timestamp) -> Result<Option<Count>> {
        match self.opened(reader, now)? {
            Some((_, counted)) => Ok(Some(self.count(counted, false))),
            None => {
                let counted = throttles::find(reader, &self.shared, now)?;
                Ok(counted.map(|counted| self.count(counted, true)))
            }
        }
    }

    /// The counter of this client's network and what it counted, where the rule was opened for it.
    fn opened(
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
            limit: self.limit.count,
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

fn by_client(what: &'static str, client: IpAddr, limit: Rate) -> Limit {
    Limit {
        what,
        shared: format!("{what}:{}", network(client)),
        personal: None,
        limit,
    }
}

fn by_id(what: &'static str, id: i64, limit: Rate) -> Limit {
    Limit {
        what,
        shared: format!("{what}:{id}"),
        personal: None,
        limit,
    }
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
    fn ipv6_is_limited_by_64_and_ipv4_by_address() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
