//! Deletes expired rows, in small transactions, so that requests are served between them.

use std::time::Duration;

use serde::Serialize;

use crate::accounts::second_factor::SETUP_LIFETIME;
use crate::activity;
use crate::config::Settings;
use crate::domain::SessionId;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{
    Database, Transaction, api_keys, identity_link_requests, known_devices, mail_codes, outbox,
    pending_sign_ins, provider_sign_ins, refresh_tokens, revocations, sessions, throttles,
    totp_factors, used_challenges,
};
use crate::throttle;

/// The most rows of one transaction.
const BATCH: u32 = 500;
/// How long an unused device stays known.
const KEEP_DEVICES: Duration = Duration::from_secs(365 * 24 * 3600);
/// How long a revoked or expired key is kept for its owner to see.
const KEEP_API_KEYS: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long a used challenge is kept after its expiry: another node's clock may be behind.
const KEEP_CHALLENGES: Duration = Duration::from_secs(3600);

/// How many rows were deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Expired and idle sessions.
    pub sessions: usize,
    /// Counters of limits with expired windows.
    pub counters: usize,
    /// Mails that were sent or given up.
    pub mails: usize,
    /// Known devices that were not used for a year.
    pub devices: usize,
    /// Revoked and expired API keys.
    pub api_keys: usize,
    /// Pending sign-ins that are expired.
    pub pending_sign_ins: usize,
    /// Requests for a mailed code that are expired.
    pub mail_codes: usize,
    /// Expired sign-ins by other providers.
    pub provider_sign_ins: usize,
    /// Requests for a mailed link to an identity that are expired.
    pub identity_link_requests: usize,
    /// Secrets of authenticator apps that no code proved.
    pub unproved_secrets: usize,
    /// Challenges of passkeys that were answered, after their expiry.
    pub passkey_challenges: usize,
    /// Spent refresh tokens.
    pub refresh_tokens: usize,
    /// Revocations of access tokens that have expired.
    #[serde(rename = "ended_access")]
    pub revocations: usize,
}

/// Deletes from all tables.
pub async fn run(database: &Database, settings: &Settings, now: Timestamp) -> Result<Swept> {
    let (kept, idle) = (settings.sweep.keep_sessions, settings.session.idle_timeout);
    // Another process may have noted a use that it has not written yet.
    let mails_until = now - settings.sweep.keep_mails;
    let longest_window = throttle::longest_window(&settings.throttle);
    Ok(Swept {
        sessions: expired_sessions(
            database,
            now - kept,
            now - kept.max(activity::PRECISION) - idle,
        )
        .await?,
        counters: in_batches(database, move |tx| {
            throttles::delete_expired(tx, longest_window, now, BATCH)
        })
        .await?,
        mails: in_batches(database, move |tx| {
            outbox::delete_finished(tx, mails_until, BATCH)
        })
        .await?,
        devices: in_batches(database, move |tx| {
            known_devices::delete_unseen(tx, now - KEEP_DEVICES, BATCH)
        })
        .await?,
        api_keys: in_batches(database, move |tx| {
            api_keys::delete_invalid(tx, now - KEEP_API_KEYS, BATCH)
        })
        .await?,
        pending_sign_ins: in_batches(database, move |tx| {
            pending_sign_ins::delete_expired(tx, now, BATCH)
        })
        .await?,
        mail_codes: in_batches(database, move |tx| {
            mail_codes::delete_expired(tx, now, BATCH)
        })
        .await?,
        provider_sign_ins: in_batches(database, move |tx| {
            provider_sign_ins::delete_expired(tx, now, BATCH)
        })
        .await?,
        identity_link_requests: in_batches(database, move |tx| {
            identity_link_requests::delete_expired(tx, now, BATCH)
        })
        .await?,
        unproved_secrets: in_batches(database, move |tx| {
            totp_factors::delete_unproved(tx, now - SETUP_LIFETIME, BATCH)
        })
        .await?,
        passkey_challenges: in_batches(database, move |tx| {
            used_challenges::delete_expired(tx, now - KEEP_CHALLENGES, BATCH)
        })
        .await?,
        refresh_tokens: in_batches(database, move |tx| {
            refresh_tokens::delete_spent_everywhere(tx, now - refresh_tokens::GRACE, BATCH)
        })
        .await?,
        revocations: in_batches(database, move |tx| {
            revocations::delete_expired(tx, now - revocations::KEEP, BATCH)
        })
        .await?,
    })
}

/// Searches by reading, which does not block writers, and deletes what it found.
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
