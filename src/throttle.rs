//! Limits on attempts by client network, address, session and user. The counters are in the store, so that restarts and
//! further processes share them.
//!
//! # Threats
//! - guessing and floods by concurrent requests: a hit is counted in a transaction before the work, so that no more than
//!   the limit are admitted
//! - an attacker who uses up the limit of an owner's address: a link mailed to the owner grants a bypass, a counter for
//!   the network from which the owner opened it; the address stays closed to all others
//! - one customer with many addresses: a hit counts for the client's /64, /56 and /48 (IPv4: address and /24) at once
//! - many addresses of one mailbox: limits on mails count addresses without their tag (`name+tag@`)
//! - a clock that was wrong: a window that ends later than its length from now is over

mod limits;
mod operator;
#[cfg(test)]
mod reference;

pub use operator::{CounterInUse, Subject};

use std::time::Duration;

use crate::config::{self, Rate};
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{Database, Reader, Transaction, throttles};

/// A limit with its counters for one client, address, session or user.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What is limited: `sign_in`. For the log.
    pub what: &'static str,
    /// All of them count a hit, and each must admit it.
    counters: Vec<Counter>,
    /// The name of the counter of this client's network, which counts instead once a bypass was granted.
    bypass: Option<String>,
}

/// The name of a counter, and what it admits.
#[derive(Clone, Debug)]
struct Counter {
    name: String,
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
#[derive(Clone, Debug)]
pub enum Decision {
    /// Every limit admitted its hit.
    Admitted(Admission),
    /// A limit is exhausted. Nothing was counted.
    Refused(Throttled),
}

/// Hits that were admitted and counted. It is empty while limits are disabled.
#[derive(Clone, Debug, Default)]
pub struct Admission(Vec<(Counter, Count)>);

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

    /// Counts one hit of each limit, or none when one of them is exhausted.
    pub async fn admit(
        &self,
        database: &Database,
        limits: Vec<Limit>,
        now: Timestamp,
    ) -> Result<Decision> {
        match self.look(database, limits.clone(), now).await? {
            Some(throttled) => Ok(Decision::Refused(throttled)),
            None => self.commit(database, limits, now).await,
        }
    }

    /// The same after a [`Throttle::look`]: the transaction alone decides.
    pub async fn commit(
        &self,
        database: &Database,
        limits: Vec<Limit>,
        now: Timestamp,
    ) -> Result<Decision> {
        if !self.settings.enabled || limits.is_empty() {
            return Ok(Decision::Admitted(Admission::default()));
        }
        let throttle = self.clone();
        database
            .count(move |tx| throttle.count(tx, &limits, now))
            .await
    }

    /// Whether a limit is exhausted, without counting. A client beyond a limit costs a read and no write.
    pub async fn look(
        &self,
        database: &Database,
        limits: Vec<Limit>,
        now: Timestamp,
    ) -> Result<Option<Throttled>> {
        if !self.settings.enabled || limits.is_empty() {
            return Ok(None);
        }
        database
            .read(move |reader| exhausted(reader, &limits, now))
            .await
    }

    /// As [`Throttle::admit`], in the caller's transaction. A refused hit costs no write.
    pub fn count(
        &self,
        tx: &Transaction<'_>,
        limits: &[Limit],
        now: Timestamp,
    ) -> Result<Decision> {
        if !self.settings.enabled {
            return Ok(Decision::Admitted(Admission::default()));
        }
        if let Some(throttled) = exhausted(tx, limits, now)? {
            return Ok(Decision::Refused(throttled));
        }
        let mut admission = Admission::default();
        for limit in limits {
            limit.hit(tx, now, &mut admission)?;
            // Another node may have counted since the look above.
            if let Some(throttled) = admission.exceeded(limit, now) {
                admission.give_back(tx)?;
                return Ok(Decision::Refused(throttled));
            }
        }
        Ok(Decision::Admitted(admission))
    }

    /// Does `work` if the limits admit it, in the caller's transaction. A refusal is an outcome: an error would undo the
    /// rest of the transaction.
    pub fn within<T>(
        &self,
        tx: &Transaction<'_>,
        limits: &[Limit],
        now: Timestamp,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<Result<T, Throttled>> {
        match self.count(tx, limits, now)?.refused() {
            Some(throttled) => Ok(Err(throttled)),
            None => work().map(Ok),
        }
    }

    /// Whether a limit has room for one more hit, without counting it.
    pub fn has_room(&self, reader: &Reader<'_>, limit: &Limit, now: Timestamp) -> Result<bool> {
        let limits = std::slice::from_ref(limit);
        Ok(!self.settings.enabled || exhausted(reader, limits, now)?.is_none())
    }

    /// Whether a limit admits one more hit, in the caller's transaction; an admitted hit is counted.
    pub fn admits(&self, tx: &Transaction<'_>, limit: &Limit, now: Timestamp) -> Result<bool> {
        let decision = self.count(tx, std::slice::from_ref(limit), now)?;
        Ok(matches!(decision, Decision::Admitted(_)))
    }
}

impl Decision {
    /// The refusal.
    pub fn refused(self) -> Option<Throttled> {
        match self {
            Self::Admitted(_) => None,
            Self::Refused(throttled) => Some(throttled),
        }
    }
}

impl Admission {
    /// The count of this limit's hit; of its first counter, where it has several.
    pub fn of(&self, limit: &Limit) -> Option<Count> {
        self.0
            .iter()
            .find(|(counter, _)| limit.has(&counter.name))
            .map(|(_, count)| *count)
    }

    /// These hits and those.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// The refusal of this limit, if one of its hits was one too many.
    fn exceeded(&self, limit: &Limit, now: Timestamp) -> Option<Throttled> {
        let hits = self
            .0
            .iter()
            .filter(|(counter, _)| limit.has(&counter.name));
        let exceeded = hits.filter(|(_, count)| count.count > count.limit);
        let last = exceeded.map(|(_, count)| count.expires_at).max()?;
        Some(Throttled {
            what: limit.what,
            wait: last.since(now),
        })
    }

    /// Takes the hits back after the transaction of an attempt that succeeded: all attempts of a network change one row.
    pub fn give_back_after(&self, tx: &Transaction<'_>) -> Result<()> {
        let admission = self.clone();
        tx.count_after(move |tx| admission.give_back(tx))
    }

    /// Takes the hits back, where their windows have not ended: the attempt succeeded, or was not made.
    pub fn give_back(&self, tx: &Transaction<'_>) -> Result<()> {
        self.0.iter().try_for_each(|(counter, count)| {
            throttles::give_back(tx, &counter.name, count.expires_at)
        })
    }
}

/// The window of the ceiling of mails, which is no setting.
const HOUR: Duration = Duration::from_secs(3600);

/// The names of all limits.
pub fn names() -> impl Iterator<Item = &'static str> {
    limits::LIMITS.iter().map(|row| row.name)
}

/// The longest of the windows: no counter is valid for longer.
pub fn longest_window(settings: &config::Throttle) -> Duration {
    let windows = limits::LIMITS.iter().map(|row| (row.rate)(settings).window);
    windows.max().unwrap_or_default().max(HOUR)
}

/// The exhausted limit whose window ends last, so that waiting for it is enough.
fn exhausted(reader: &Reader<'_>, limits: &[Limit], now: Timestamp) -> Result<Option<Throttled>> {
    let mut last: Option<Throttled> = None;
    for limit in limits {
        for counter in limit.counting(reader, now)? {
            let counted = counter.find(reader, now)?;
            let Some(counted) = counted.filter(|counted| counted.count >= counter.rate.count)
            else {
                continue;
            };
            let wait = counted.expires_at.since(now);
            if last.is_none_or(|last| last.wait < wait) {
                last = Some(Throttled {
                    what: limit.what,
                    wait,
                });
            }
        }
    }
    Ok(last)
}

impl Counter {
    /// What was counted; `None` without a current window.
    fn find(&self, reader: &Reader<'_>, now: Timestamp) -> Result<Option<throttles::Counted>> {
        throttles::find(reader, &self.name, self.rate.window, now)
    }

    fn count(&self, counted: throttles::Counted, shared: bool) -> Count {
        Count {
            count: counted.count,
            limit: self.rate.count,
            expires_at: counted.expires_at,
            shared,
        }
    }
}

/// These run in the caller's transaction.
impl Limit {
    fn new(what: &'static str, counted: &str, rate: Rate) -> Self {
        let name = format!("{what}:{counted}");
        Self {
            what,
            counters: vec![Counter { name, rate }],
            bypass: None,
        }
    }

    /// The same, counted apart for each kind of thing.
    #[must_use]
    pub fn of_kind(mut self, kind: &str) -> Self {
        for counter in &mut self.counters {
            counter.name = format!("{}:{kind}", counter.name);
        }
        self
    }

    /// Resets the counters. Where a bypass was granted to this client's network, it resets that counter and extends the
    /// bypass for another window.
    pub fn forgive(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
        match self.bypass(tx, now)? {
            Some(bypass) => throttles::grant(tx, &bypass.name, bypass.rate.window, now),
            None => self
                .counters
                .iter()
                .try_for_each(|counter| throttles::clear(tx, &counter.name)),
        }
    }

    /// Whether the window that ends at `window_end` is still counted and exhausted.
    pub fn is_exhausted(
        &self,
        reader: &Reader<'_>,
        window_end: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let counted = self.window_until(reader, window_end, now)?;
        Ok(counted.is_some_and(|count| count.left() == 0))
    }

    /// Grants this client's network a bypass of the window that ends at `window_end`, in which all others stay counted;
    /// `false`, without effect, when that window is over or was unlocked before. Of two concurrent calls one succeeds.
    pub fn unlock(
        &self,
        tx: &Transaction<'_>,
        window_end: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let unlocks = self.window_until(tx, window_end, now)?.is_some()
            && throttles::claim(tx, &self.unlocked(), window_end)?;
        if unlocks {
            self.grant_bypass(tx, now)?;
        }
        Ok(unlocks)
    }

    /// Grants this client's network a bypass.
    pub fn grant_bypass(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
        match self.as_bypass() {
            Some(bypass) => throttles::grant(tx, &bypass.name, bypass.rate.window, now),
            None => Ok(()),
        }
    }

    /// The count of all clients in the window that ends at `window_end`, if it is not over.
    fn window_until(
        &self,
        reader: &Reader<'_>,
        window_end: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Count>> {
        let Some(counter) = self.counters.first() else {
            return Ok(None);
        };
        let counted = counter.find(reader, now)?;
        Ok(counted
            .filter(|counted| counted.expires_at == window_end)
            .map(|counted| counter.count(counted, true)))
    }

    fn hit(&self, tx: &Transaction<'_>, now: Timestamp, admission: &mut Admission) -> Result<()> {
        for counter in self.counting(tx, now)? {
            let counted = throttles::hit(tx, &counter.name, counter.rate.window, now)?;
            let shared = self.bypass.as_ref() != Some(&counter.name);
            let count = counter.count(counted, shared);
            admission.0.push((counter, count));
        }
        Ok(())
    }

    /// The counters that apply: the bypass alone, where there is one.
    fn counting(&self, reader: &Reader<'_>, now: Timestamp) -> Result<Vec<Counter>> {
        Ok(match self.bypass(reader, now)? {
            Some(bypass) => vec![bypass],
            None => self.counters.clone(),
        })
    }

    /// The counter of this client's network, where a bypass was granted.
    fn bypass(&self, reader: &Reader<'_>, now: Timestamp) -> Result<Option<Counter>> {
        let Some(bypass) = self.as_bypass() else {
            return Ok(None);
        };
        Ok(bypass.find(reader, now)?.map(|_| bypass))
    }

    fn as_bypass(&self) -> Option<Counter> {
        let rate = self.counters.first()?.rate;
        self.bypass.clone().map(|name| Counter { name, rate })
    }

    /// The name under which the unlocked window is remembered.
    fn unlocked(&self) -> String {
        let name = self.counters.first().map(|counter| &*counter.name);
        format!("{}:unlocked", name.unwrap_or(self.what))
    }

    fn has(&self, name: &str) -> bool {
        self.bypass.as_deref() == Some(name)
            || self.counters.iter().any(|counter| counter.name == name)
    }
}
