//! Deletes what is over: expired sessions, windows of throttles, mails that ended. In small transactions, so that
//! requests get their turn between them.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::config;
use crate::error::Result;
use crate::model::SessionId;
use crate::store::{Database, Transaction, outbox, sessions, throttles};

/// The most rows of one transaction.
const BATCH: u32 = 500;
/// An expired session still says "expired" for so long; then its token is as unknown as any.
const KEEP_EXPIRED_SESSIONS: Duration = Duration::from_secs(24 * 3600);
/// How long an operator can look up what became of a mail.
const KEEP_ENDED_MAILS: Duration = Duration::from_secs(7 * 24 * 3600);

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows of `sessions`.
    pub sessions: usize,
    /// Rows of `throttles`.
    pub throttles: usize,
    /// Rows of `outbox`.
    pub mails: usize,
}

/// Sweeps everything.
pub async fn run(database: &Database, settings: &config::Session, now: Timestamp) -> Result<Swept> {
    let moment = now - KEEP_EXPIRED_SESSIONS;
    Ok(Swept {
        sessions: expired_sessions(database, moment, moment - settings.idle_timeout).await?,
        throttles: in_batches(database, move |tx| throttles::delete_expired(tx, now, BATCH)).await?,
        mails: in_batches(database, move |tx| {
            outbox::delete_ended(tx, now - KEEP_ENDED_MAILS, BATCH)
        })
        .await?,
    })
}

/// Finds them by reading, which holds up nobody, and deletes what it found.
async fn expired_sessions(database: &Database, moment: Timestamp, idle_since: Timestamp) -> Result<usize> {
    let mut last = SessionId(0);
    let mut deleted = 0;
    loop {
        let found = database
            .read(move |snapshot| sessions::list_expired(snapshot, moment, idle_since, last, BATCH))
            .await?;
        let Some(id) = found.last() else {
            return Ok(deleted);
        };
        last = *id;
        deleted += found.len();
        database
            .write(move |tx| {
                found
                    .iter()
                    .try_for_each(|id| sessions::delete(tx, *id).map(drop))
            })
            .await?;
    }
}

async fn in_batches(
    database: &Database,
    delete: impl Fn(&Transaction<'_>) -> Result<usize> + Clone + Send + 'static,
) -> Result<usize> {
    let mut deleted = 0;
    loop {
        let batch = delete.clone();
        let now = database.write(move |tx| batch(tx)).await?;
        deleted += now;
        if now < BATCH as usize {
            return Ok(deleted);
        }
    }
}
