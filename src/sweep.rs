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

/// Sweeps everything.
pub async fn run(database: &Database, settings: &config::Session, now: Timestamp) -> Result<()> {
    let moment = now - KEEP_EXPIRED_SESSIONS;
    expired_sessions(database, moment, moment - settings.idle_timeout).await?;
    in_batches(database, move |tx| throttles::delete_expired(tx, now, BATCH)).await?;
    in_batches(database, move |tx| outbox::delete_ended(tx, now - KEEP_ENDED_MAILS, BATCH)).await
}

/// Finds them by reading, which holds up nobody, and deletes what it found.
async fn expired_sessions(database: &Database, moment: Timestamp, idle_since: Timestamp) -> Result<()> {
    let mut last = SessionId(0);
    loop {
        let found = database
            .read(move |reader| sessions::list_expired(reader, moment, idle_since, last, BATCH))
            .await?;
        let Some(id) = found.last() else { return Ok(()) };
        last = *id;
        database.write(move |tx| found.iter().try_for_each(|id| sessions::delete(tx, *id).map(drop))).await?;
    }
}

async fn in_batches(
    database: &Database,
    delete: impl Fn(&Transaction<'_>) -> Result<usize> + Clone + Send + 'static,
) -> Result<()> {
    loop {
        let batch = delete.clone();
        let deleted = database.write(move |tx| batch(tx)).await?;
        if deleted < BATCH as usize {
            return Ok(());
        }
    }
}
