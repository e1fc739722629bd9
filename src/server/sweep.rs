//! Deletes what is over: expired sessions, windows of throttles, mails that ended, devices that nobody uses, keys and
//! tokens long after their end. In small transactions, so that requests get their turn between them.

use std::time::Duration;

use serde::Serialize;

use crate::activity;
use crate::config::Settings;
use crate::domain::SessionId;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{
    Database, Transaction, api_keys, known_devices, outbox, refresh_tokens, revocations, sessions,
    throttles,
};

/// The most rows of one transaction.
const BATCH: u32 = 500;
/// A device that was not used for so long is a new one again.
const KEEP_DEVICES: Duration = Duration::from_secs(365 * 24 * 3600);
/// How long the owner of a key sees that it was revoked or has expired.
const KEEP_API_KEYS: Duration = Duration::from_secs(30 * 24 * 3600);

/// How many rows were over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Sessions that expired or were idle for too long.
    pub sessions: usize,
    /// Windows of limits.
    pub counters: usize,
    /// Mails that were sent or given up.
    pub mails: usize,
    /// Devices.
    pub devices: usize,
    /// API keys that were revoked or had expired.
    pub api_keys: usize,
    /// Refresh tokens that were spent.
    pub refresh_tokens: usize,
    /// What was known of access tokens that ended early.
    pub ended_access: usize,
}

/// Sweeps everything.
pub async fn run(database: &Database, settings: &Settings, now: Timestamp) -> Result<Swept> {
    let (kept, idle) = (settings.sweep.keep_sessions, settings.session.idle_timeout);
    let mails_until = now - settings.sweep.keep_mails;
    Ok(Swept {
        sessions: expired_sessions(
            database,
            now - kept,
            now - kept.max(activity::PRECISION) - idle,
        )
        .await?,
        counters: in_batches(database, move |tx| {
            throttles::delete_expired(tx, now, BATCH)
        })
        .await?,
        mails: in_batches(database, move |tx| {
            outbox::delete_ended(tx, mails_until, BATCH)
        })
        .await?,
        devices: in_batches(database, move |tx| {
            known_devices::delete_unseen(tx, now - KEEP_DEVICES, BATCH)
        })
        .await?,
        api_keys: in_batches(database, move |tx| {
            api_keys::delete_ended(tx, now - KEEP_API_KEYS, BATCH)
        })
        .await?,
        refresh_tokens: in_batches(database, move |tx| {
            refresh_tokens::forget_spent_everywhere(tx, now - refresh_tokens::GRACE, BATCH)
        })
        .await?,
        ended_access: in_batches(database, move |tx| {
            revocations::delete_expired(tx, now - revocations::KEEP, BATCH)
        })
        .await?,
    })
}

/// Finds them by reading, which holds up nobody, and deletes what it found.
async fn expired_sessions(
    database: &Database,
    moment: Timestamp,
    idle_since: Timestamp,
) -> Result<usize> {
    let (mut last, mut swept) = (SessionId(0), 0);
    loop {
        let found = database
            .read(move |reader| sessions::list_expired(reader, moment, idle_since, last, BATCH))
            .await?;
        let Some(id) = found.last() else {
            return Ok(swept);
        };
        last = *id;
        swept += database
            .write(move |tx| {
                found.iter().try_fold(0, |count, id| {
                    Ok(count + usize::from(sessions::delete(tx, *id)?))
                })
            })
            .await?;
    }
}

async fn in_batches(
    database: &Database,
    delete: impl Fn(&Transaction<'_>) -> Result<usize> + Clone + Send + 'static,
) -> Result<usize> {
    let mut swept = 0;
    loop {
        let batch = delete.clone();
        let deleted = database.write(move |tx| batch(tx)).await?;
        swept += deleted;
        if deleted < BATCH as usize {
            return Ok(swept);
        }
    }
}
