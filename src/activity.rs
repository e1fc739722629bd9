//! When sessions and API keys were last used: collected in memory and written in batches, so that a look-up costs no
//! write.
//!
//! Each is written at most once a minute. If the process ends, only times not written yet are lost.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{ApiKey, ApiKeyId, Session, SessionId};
use crate::store::{Database, Transaction, api_keys, sessions};

pub(crate) const PRECISION: Duration = Duration::from_secs(60);

/// Sessions and keys used since the last [`Activity::flush`].
#[derive(Debug, Default)]
pub struct Activity {
    sessions: Noted<SessionId>,
    keys: Noted<ApiKeyId>,
}

impl Activity {
    /// When a session was last used, in memory or in its row.
    pub fn last_of(&self, session: &Session) -> Timestamp {
        let noted = self.sessions.lock().get(&session.id).copied();
        noted.map_or(session.last_active_at, |noted| {
            noted.max(session.last_active_at)
        })
    }

    /// Notes that a session is used now, unless its row says so for the last minute, or for the last half of the idle
    /// timeout if that is shorter. Returns `false` and notes nothing if the session has been idle for too long.
    pub fn note(&self, session: &Session, idle_timeout: Duration, now: Timestamp) -> bool {
        if now.since(session.last_active_at) < PRECISION.min(idle_timeout / 2) {
            return true;
        }
        let mut seen = self.sessions.lock();
        let last = seen
            .get(&session.id)
            .map_or(session.last_active_at, |noted| {
                session.last_active_at.max(*noted)
            });
        if now >= last + idle_timeout {
            return false;
        }
        seen.insert(session.id, now.max(last));
        true
    }

    /// When a key was last used, in memory or in its row.
    pub fn last_use_of(&self, key: &ApiKey) -> Option<Timestamp> {
        self.keys.lock().get(&key.id).copied().max(key.last_used_at)
    }

    /// Notes that a key is used now, unless its row says so for the last minute.
    pub fn note_key(&self, key: &ApiKey, now: Timestamp) {
        if key
            .last_used_at
            .is_none_or(|last| now.since(last) >= PRECISION)
        {
            self.keys
                .lock()
                .entry(key.id)
                .and_modify(|last| *last = now.max(*last))
                .or_insert(now);
        }
    }

    /// Writes the noted times in small transactions. Times that could not be written stay noted.
    pub async fn flush(&self, database: &Database) -> Result<()> {
        self.sessions.flush(database, sessions::touch).await?;
        self.keys.flush(database, api_keys::touch).await
    }
}

/// When each was last used, unless that is written already.
#[derive(Debug)]
struct Noted<Id>(Mutex<HashMap<Id, Timestamp>>);

impl<Id: Copy + Eq + Hash + Ord + Send + 'static> Noted<Id> {
    async fn flush(
        &self,
        database: &Database,
        touch: fn(&Transaction<'_>, Id, Timestamp) -> Result<()>,
    ) -> Result<()> {
        let mut seen: Vec<(Id, Timestamp)> =
            self.lock().iter().map(|(id, at)| (*id, *at)).collect();
        // Rows next to each other share a page, so sorted batches write fewer pages.
        seen.sort_unstable_by_key(|(id, _)| *id);
        for batch in seen.chunks(database.batch()) {
            let written = batch.to_vec();
            database
                .write(move |tx| written.iter().try_for_each(|(id, at)| touch(tx, *id, *at)))
                .await?;
            // Keep later times that were noted during the write.
            let mut noted = self.lock();
            for (id, at) in batch {
                if noted.get(id) == Some(at) {
                    noted.remove(id);
                }
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Timestamp>> {
        self.0.lock()
    }
}

impl<Id> Default for Noted<Id> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope::Scopes;

    fn key(last_used_at: Option<Timestamp>) -> ApiKey {
        ApiKey {
            id: ApiKeyId(1),
            user_id: None,
            name: "one".to_owned(),
            last_four: "aaaa".to_owned(),
            scopes: Scopes::default(),
            created_at: Timestamp::from_millis(0),
            last_used_at,
            expires_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn key_use_is_recorded_at_most_once_a_minute() {
        let activity = Activity::default();
        let written = Timestamp::from_millis(1_000_000);
        let used = key(Some(written));
        activity.note_key(&used, written + PRECISION - Duration::from_millis(1));
        assert!(activity.keys.lock().is_empty());
        activity.note_key(&used, written + PRECISION);
        assert_eq!(activity.last_use_of(&used), Some(written + PRECISION));
    }

    #[test]
    fn first_key_use_is_recorded_and_never_moves_back() {
        let activity = Activity::default();
        let (unused, at) = (key(None), Timestamp::from_millis(1_000_000));
        assert_eq!(activity.last_use_of(&unused), None);
        activity.note_key(&unused, at);
        activity.note_key(&unused, at - PRECISION);
        assert_eq!(activity.last_use_of(&unused), Some(at));
        let later = at + PRECISION;
        assert_eq!(
            activity.last_use_of(&key(Some(later))),
            Some(later),
            "another process has written it"
        );
    }
}
