//! The chain of the audit trail: which bytes its digests, MACs and hashes are over, and who signs it.
//!
//! A row gets a MAC when it is added. Later it is sealed: it gets the next place in the chain and a hash over the hash of
//! the row before, its place, its id, its text and its MAC. The ends of the chain are signed.
//!
//! # Threats
//! - a row that is changed, deleted, or moved to another place: its hash, or the hash of the next row, does not match
//! - a chain that is computed again after a change: its ends are signed under a key that is not in the database
//! - a row that another program adds, to be sealed like others: it has no MAC; a copy of a row has the digest of that row
//! - a key base that is no longer used, and becomes known later: it verifies for a day after it was retired

use std::fmt;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::crypto::key_ring::{Key, KeyRing, Purpose};
use crate::domain::clock::Timestamp;
use crate::store::audit_chain::{Ends, SignedEnds};
use crate::store::audit_events::{AuditEvent, NewAuditEvent, Origin, Told};

/// How long a retired key base verifies: by then its rows are sealed and the ends are signed under the current one.
const AFTER_RETIREMENT: Duration = Duration::from_secs(24 * 3600);

/// The keys that sign rows and ends.
#[derive(Clone)]
pub struct Keys {
    key_ring: KeyRing,
    row: Key,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys([hidden])")
    }
}

impl Keys {
    /// Those of a key ring.
    pub fn new(key_ring: &KeyRing) -> Self {
        Self {
            row: key_ring.signing(Purpose::AuditEvent),
            key_ring: key_ring.clone(),
        }
    }

    pub(super) fn mac_of_row(&self, told: &Told, client_digest: &[u8]) -> Vec<u8> {
        let mac = row_mac(&self.row, told, client_digest);
        mac.finalize().into_bytes().to_vec()
    }

    /// Whether a row was added by a server or a command with one of these key bases, and was not changed.
    pub(super) fn added(&self, event: &NewAuditEvent, now: Timestamp) -> bool {
        has_its_digest(event)
            && self.verifies(Purpose::AuditEvent, now, &event.mac, |key| {
                row_mac(key, &event.told, &event.client_digest)
            })
    }

    /// Signs the ends of the chain.
    pub(super) fn sign(&self, ends: Ends) -> SignedEnds {
        let mac = ends_mac(&self.key_ring.signing(Purpose::AuditChain), &ends);
        SignedEnds {
            mac: mac.finalize().into_bytes().to_vec(),
            key_base: self.current(),
            ends,
        }
    }

    /// Whether the ends were signed under one of these key bases.
    pub(super) fn signed(&self, signed: &SignedEnds, now: Timestamp) -> bool {
        self.verifies(Purpose::AuditChain, now, &signed.mac, |key| {
            ends_mac(key, &signed.ends)
        })
    }

    /// The name of the key base that signs.
    pub(super) fn current(&self) -> String {
        self.key_ring.names().current
    }

    fn verifies(
        &self,
        purpose: Purpose,
        now: Timestamp,
        mac: &[u8],
        compute: impl Fn(&Key) -> Hmac<Sha256>,
    ) -> bool {
        self.key_ring
            .verifying(purpose)
            .filter(|found| found.verifies_at(AFTER_RETIREMENT, now))
            .any(|found| compute(&found.key).verify_slice(mac).is_ok())
    }
}

/// Whether the digest of a row is that of its client; of an erased client, it cannot be told.
pub(super) fn has_its_digest(event: &NewAuditEvent) -> bool {
    let origin = &event.origin;
    match origin.nonce {
        Some(_) => client_digest(origin)[..] == event.client_digest,
        None => origin.ip_address.is_none() && origin.user_agent.is_none(),
    }
}

/// SHA-256 of address, user agent and nonce.
pub(super) fn client_digest(origin: &Origin) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| hash.update(bytes);
    value(&mut add, origin.nonce.as_deref());
    value(&mut add, origin.ip_address.as_deref().map(str::as_bytes));
    value(&mut add, origin.user_agent.as_deref().map(str::as_bytes));
    hash.finalize().into()
}

/// The hash of a row at a place, behind a row with the hash `previous`.
pub(super) fn hash(previous: &[u8], position: i64, id: i64, event: &NewAuditEvent) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| hash.update(bytes);
    value(&mut add, Some(previous));
    value(&mut add, Some(&position.to_be_bytes()));
    value(&mut add, Some(&id.to_be_bytes()));
    text(&mut add, &event.told, &event.client_digest);
    value(&mut add, Some(&event.mac));
    hash.finalize().into()
}

/// Whether a row has the hash of what it tells, at the place that it states.
pub(super) fn has_its_hash(row: &AuditEvent) -> bool {
    let (Some(position), Some(previous), Some(stored)) = (row.position, &row.previous, &row.hash)
    else {
        return false;
    };
    hash(previous, position, row.id, &row.event)[..] == stored[..]
}

/// The ends of an empty chain.
pub(super) fn empty() -> Ends {
    Ends {
        start_position: 0,
        start_hash: vec![0; 32],
        position: 0,
        hash: vec![0; 32],
    }
}

fn row_mac(key: &Key, told: &Told, client_digest: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new((&**key).into());
    text(&mut |bytes| mac.update(bytes), told, client_digest);
    mac
}

fn ends_mac(key: &Key, ends: &Ends) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new((&**key).into());
    let mut add = |bytes: &[u8]| mac.update(bytes);
    value(&mut add, Some(&ends.start_position.to_be_bytes()));
    value(&mut add, Some(&ends.start_hash));
    value(&mut add, Some(&ends.position.to_be_bytes()));
    value(&mut add, Some(&ends.hash));
    mac
}

fn text(add: &mut impl FnMut(&[u8]), told: &Told, client_digest: &[u8]) {
    let number = |number: Option<i64>| number.map(i64::to_be_bytes);
    let bytes = |text: &Option<String>| text.clone().map(String::into_bytes);
    value(add, Some(&told.at.as_millis().to_be_bytes()));
    value(add, Some(told.kind.as_bytes()));
    value(add, Some(told.outcome.as_bytes()));
    value(add, bytes(&told.actor).as_deref());
    for id in [
        told.actor_id,
        told.user_id.map(|id| id.0),
        told.session_id.map(|id| id.0),
        told.api_key_id.map(|id| id.0),
    ] {
        value(add, number(id).as_ref().map(|bytes| &bytes[..]));
    }
    value(add, Some(told.details.as_bytes()));
    value(add, Some(&told.repeats.to_be_bytes()));
    value(add, bytes(&told.request_id).as_deref());
    value(add, Some(client_digest));
}

/// Each value has its presence and length before it, so that no two rows have the same bytes.
fn value(add: &mut impl FnMut(&[u8]), bytes: Option<&[u8]>) {
    add(&[u8::from(bytes.is_some())]);
    if let Some(bytes) = bytes {
        add(&(bytes.len() as u64).to_be_bytes());
        add(bytes);
    }
}
