//! Makes rows of the audit trail of entries. Each has a MAC under a derived key, so that a row that another program adds
//! is told from one of ours.

use std::sync::Arc;

use serde_json::json;

use super::chain::{Keys, client_digest};
use super::{Actor, Client, Entry};
use crate::crypto::token::fill_random;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::error::Result;
use crate::store::Transaction;
use crate::store::audit_events::{self, NewAuditEvent, Origin, Told};

/// The length of a nonce.
const NONCE: usize = 16;

/// What adds rows.
#[derive(Clone, Debug)]
pub struct Recorder {
    /// Shared: each change has a recorder, and the keys are secret.
    keys: Arc<Keys>,
    clock: Clock,
}

impl Recorder {
    /// With these keys.
    pub fn new(keys: impl Into<Arc<Keys>>, clock: Clock) -> Self {
        Self {
            keys: keys.into(),
            clock,
        }
    }

    /// Adds entries in the transaction of what they tell.
    ///
    /// # Errors
    /// Those of the statement and of the operating system's generator.
    pub fn record(&self, tx: &Transaction<'_>, entries: &[Entry]) -> Result<()> {
        let now = self.clock.now();
        let mut rows = entries.iter().map(|entry| row(entry, now));
        rows.try_for_each(|(told, client)| self.add(tx, told, client))
    }

    /// Adds one row.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub(super) fn add(
        &self,
        tx: &Transaction<'_>,
        told: Told,
        client: Option<&Client>,
    ) -> Result<()> {
        let mut nonce = vec![0; NONCE];
        fill_random(&mut nonce)?;
        let origin = Origin {
            ip_address: client.map(|client| client.ip.to_string()),
            user_agent: client.and_then(|client| client.user_agent.clone()),
            nonce: Some(nonce),
        };
        let client_digest = client_digest(&origin).to_vec();
        let mac = self.keys.mac_of_row(&told, &client_digest);
        let row = NewAuditEvent {
            told,
            origin,
            client_digest,
            mac,
        };
        audit_events::insert(tx, &row)
    }
}

/// What a row tells of an entry, and its client.
pub(super) fn row(entry: &Entry, at: Timestamp) -> (Told, Option<&Client>) {
    let line = entry.event.line();
    let (actor, actor_id) = match entry.actor {
        None => (None, None),
        Some(Actor::User(user)) => (Some("user"), Some(user.0)),
        Some(Actor::ApiKey(key)) => (Some("api_key"), Some(key.0)),
        Some(Actor::Operator) => (Some("operator"), None),
        Some(Actor::System) => (Some("system"), None),
    };
    let mut details = line.details();
    if let Some((uid, host)) = entry.account() {
        details.insert("uid".to_owned(), json!(uid));
        details.insert("host".to_owned(), json!(host));
    }
    let told = Told {
        at,
        kind: line.name.to_owned(),
        outcome: line.outcome.as_str().to_owned(),
        actor: actor.map(str::to_owned),
        actor_id,
        user_id: line.user,
        session_id: line.session,
        api_key_id: line.key,
        details: serde_json::Value::Object(details).to_string(),
        repeats: 1,
        request_id: entry
            .client
            .as_ref()
            .map(|client| client.request_id.clone()),
    };
    (told, entry.client.as_ref())
}
