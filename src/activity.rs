//! When sessions were last used, kept in memory and written now and then: a look-up must not cost a write.
//!
//! A session is written at most once a minute. What was not written yet is lost with the process, and nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::{Session, SessionId};
use crate::store::{Database, sessions};

const PRECISION: Duration = Duration::from_secs(60);
/// The most rows of one write, so that the writer stays free for requests.
const BATCH: usize = 500;

/// Sessions used since the last [`Activity::flush`].
#[derive(Debug, Default)]
pub struct Activity {
    seen: Mutex<HashMap<SessionId, Timestamp>>,
}

impl Activity {
    /// When a session was last used, as far as anyone here knows.
    pub fn last_of(&self, session: &Session) -> Timestamp {
        let noted = self.lock().get(&session.id).copied();
        noted.map_or(session.last_active_at, |noted| noted.max(session.last_active_at))
    }

    /// Notes that a session is used now, unless its row says that it was within the last minute, or within half the
    /// idle time-out where that is shorter; `false`, and nothing noted, when the time-out had passed.
    pub fn note(&self, session: &Session, idle_timeout: Duration, now: Timestamp) -> bool {
        if now.since(session.last_active_at) < PRECISION.min(idle_timeout / 2) {
            return true;
        }
        let mut seen = self.lock();
        let last =
            seen.get(&session.id).map_or(session.last_active_at, |noted| session.last_active_at.max(*noted));
        if now >= last + idle_timeout {
            return false;
        }
        seen.insert(session.id, now.max(last));
        true
    }

    /// Writes what was noted, in small transactions. What could not be written stays noted.
    pub async fn flush(&self, database: &Database) -> Result<()> {
        let mut seen: Vec<(SessionId, Timestamp)> = self.lock().iter().map(|(id, at)| (*id, *at)).collect();
        // Neighbours share a page: in order, a batch writes a few pages and not one a session.
        seen.sort_unstable_by_key(|(id, _)| id.0);
        for batch in seen.chunks(BATCH) {
            let written = batch.to_vec();
            database
                .write(move |tx| written.iter().try_for_each(|(id, at)| sessions::touch(tx, *id, *at)))
                .await?;
            // A session that was used meanwhile is noted with a later time, which is not written yet.
            let mut noted = self.lock();
            for (id, at) in batch {
                if noted.get(id) == Some(at) {
                    noted.remove(id);
                }
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Timestamp>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
