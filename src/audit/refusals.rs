//! Refusals that have no transaction, until they are written together.
//!
//! # Threats
//! - a flood of refused requests: those alike (kind, credential, user, network) are one row with a count, and all of a few
//!   seconds are one transaction
//! - a flood from many networks: beyond a number of rows, those of a kind are one row without a client. So memory and the
//!   growth of the table are bounded, and each refusal is counted
//! - a database that cannot be written: they wait, within the same bounds. A process that is killed loses those of the last
//!   seconds; the log has them

use std::collections::HashMap;
use std::mem;

use parking_lot::Mutex;

use super::record::row;
use super::{Client, Entry, Recorder};
use crate::domain::Network;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::Database;
use crate::store::audit_events::Told;

/// The rows of one transaction, without those that stand for many networks.
const MOST: usize = 200;
const NOW_UNKNOWN: Timestamp = Timestamp::from_millis(0);

/// Refusals since the last [`Refusals::flush`].
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Waiting>);

/// By what makes them alike: what they tell, without time, request and count, and the network.
type Waiting = HashMap<(Told, Option<Network>), Repeated>;

/// The first of those alike, and how many there are.
#[derive(Clone, Debug)]
struct Repeated {
    at: Timestamp,
    request_id: Option<String>,
    client: Option<Client>,
    count: i64,
}

impl Refusals {
    /// Notes a refusal.
    pub fn note(&self, entry: &Entry, now: Timestamp) {
        let (told, client) = row(entry, now);
        let network = client.map(|client| Network::of_client(client.ip));
        let first = Repeated {
            at: now,
            request_id: told.request_id.clone(),
            client: client.cloned(),
            count: 1,
        };
        let told = Told {
            at: NOW_UNKNOWN,
            request_id: None,
            repeats: 0,
            ..told
        };
        add(&mut self.0.lock(), (told, network), first);
    }

    /// Writes all in one transaction. If that fails, they stay.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn flush(&self, database: &Database, recorder: &Recorder) -> Result<()> {
        let taken = mem::take(&mut *self.0.lock());
        if taken.is_empty() {
            return Ok(());
        }
        let (rows, recorder) = (taken.clone(), recorder.clone());
        let written = database.write(move |tx| {
            rows.iter().try_for_each(|((told, _), repeated)| {
                let told = Told {
                    at: repeated.at,
                    request_id: repeated.request_id.clone(),
                    repeats: repeated.count,
                    ..told.clone()
                };
                recorder.add(tx, told, repeated.client.as_ref())
            })
        });
        let written = written.await;
        if written.is_err() {
            let mut waiting = self.0.lock();
            for (key, repeated) in taken {
                add(&mut waiting, key, repeated);
            }
        }
        written
    }
}

fn add(waiting: &mut Waiting, key: (Told, Option<Network>), repeated: Repeated) {
    if let Some(alike) = waiting.get_mut(&key) {
        alike.count += repeated.count;
    } else if waiting.len() < MOST {
        waiting.insert(key, repeated);
    } else {
        let of_many = Told {
            actor: None,
            actor_id: None,
            user_id: None,
            session_id: None,
            api_key_id: None,
            details: r#"{"of_many":true}"#.to_owned(),
            ..key.0
        };
        let together = waiting.entry((of_many, None)).or_insert(Repeated {
            request_id: None,
            client: None,
            count: 0,
            ..repeated
        });
        together.count += repeated.count;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::audit::{Event, Source};

    fn note(refusals: &Refusals, network: u32, event: Event) {
        let client = Client {
            ip: Ipv4Addr::from_bits(network).into(),
            user_agent: None,
            request_id: "one".to_owned(),
        };
        let source = Source {
            actor: None,
            client: Some(client),
        };
        refusals.note(&Entry::new(&source, event), Timestamp::from_millis(1));
    }

    fn counts(refusals: &Refusals) -> Vec<i64> {
        let waiting = refusals.0.lock();
        let mut counts: Vec<i64> = waiting.values().map(|repeated| repeated.count).collect();
        counts.sort_unstable();
        counts
    }

    #[test]
    fn refusals_alike_are_one_row() {
        let refusals = Refusals::default();
        for _ in 0..1000 {
            note(&refusals, 1, Event::RefreshRefused);
            note(&refusals, 2, Event::RefreshRefused);
        }
        note(&refusals, 1, Event::UnlockRefused);
        assert_eq!(counts(&refusals), [1, 1000, 1000]);
    }

    #[test]
    fn a_flood_from_many_networks_is_bounded_and_counted() {
        let refusals = Refusals::default();
        for network in 0..10_000 {
            note(&refusals, network, Event::RefreshRefused);
            note(&refusals, network, Event::UnlockRefused);
        }
        let counts = counts(&refusals);
        assert_eq!(counts.len(), MOST + 2);
        assert_eq!(counts.iter().sum::<i64>(), 20_000);
    }
}
