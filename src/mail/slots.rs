//! Which mails may be sent now, so that mail servers that hang at some recipients do not delay the others.
//!
//! # Threats
//! - eight mails that hang, and all others wait: a delivery that takes long no longer counts as one of those at once
//! - hanging mails that fill this larger number too: a recipient's domain has a share of it

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::store::outbox::BusyDomains;

/// Deliveries at once, without those that are slow.
pub(super) const AT_ONCE: usize = 8;
/// A delivery that takes longer is slow. Most take a fraction of it.
const SLOW_AFTER: Duration = Duration::from_secs(1);
/// Deliveries at once, with those that are slow. Mail servers limit the connections of a client.
const MOST: usize = 32;
/// A recipient's domain has no further deliveries while it has this many.
const DOMAIN_SHARE: usize = MOST / BusyDomains::MOST;

struct Delivery {
    id: i64,
    domain: String,
    since: Instant,
}

/// The deliveries that are going on.
#[derive(Default)]
pub(super) struct Slots {
    deliveries: Vec<Delivery>,
}

impl Slots {
    /// Adds a delivery that starts now.
    pub fn take(&mut self, id: i64, domain: &str, now: Instant) {
        self.deliveries.push(Delivery {
            id,
            domain: domain.to_owned(),
            since: now,
        });
    }

    /// Removes a delivery that has ended.
    pub fn release(&mut self, id: i64) {
        self.deliveries.retain(|delivery| delivery.id != id);
    }

    /// How many deliveries may start.
    pub fn free(&self, now: Instant) -> usize {
        let prompt = self.deliveries.iter();
        let prompt = prompt.filter(|delivery| now < delivery.since + SLOW_AFTER);
        AT_ONCE
            .saturating_sub(prompt.count())
            .min(MOST.saturating_sub(self.deliveries.len()))
    }

    /// The domains that may have no further delivery.
    pub fn busy_domains(&self) -> BusyDomains {
        let mut counts = BTreeMap::<&str, usize>::new();
        for delivery in &self.deliveries {
            *counts.entry(&delivery.domain).or_default() += 1;
        }
        let busy = counts
            .into_iter()
            .filter(|(_, count)| *count >= DOMAIN_SHARE);
        BusyDomains::new(busy.map(|(domain, _)| domain))
    }

    /// How long until a delivery counts as slow; `None` if none will.
    pub fn until_next_slow(&self, now: Instant) -> Option<Duration> {
        let ends = self
            .deliveries
            .iter()
            .map(|delivery| delivery.since + SLOW_AFTER);
        ends.filter(|&end| end > now).min().map(|end| end - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_deliveries_make_room_up_to_a_maximum() {
        let (mut slots, mut now) = (Slots::default(), Instant::now());
        let mut id = 0;
        for full in 1..=4 {
            assert_eq!(slots.free(now), AT_ONCE);
            for _ in 0..AT_ONCE {
                id += 1;
                slots.take(id, &format!("{id}.example"), now);
            }
            assert_eq!(slots.free(now), 0, "{full}");
            assert_eq!(slots.until_next_slow(now), Some(SLOW_AFTER));
            now += SLOW_AFTER;
        }
        assert_eq!((slots.free(now), slots.until_next_slow(now)), (0, None));
        slots.release(1);
        slots.release(2);
        assert_eq!(slots.free(now), 2);
    }

    #[test]
    fn a_domain_is_busy_at_its_share() {
        let (mut slots, now) = (Slots::default(), Instant::now());
        for id in 1..=8 {
            assert_eq!(slots.busy_domains(), BusyDomains::default());
            slots.take(id, "one.example", now);
            slots.take(100 + id, &format!("{id}.example"), now);
        }
        assert_eq!(slots.busy_domains(), BusyDomains::new(["one.example"]));
        slots.release(8);
        assert_eq!(slots.busy_domains(), BusyDomains::default());
    }
}
