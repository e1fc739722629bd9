//! What ends after a database was restored, with either engine: secrets that were used or revoked after the backup was made
//! would work again.
//!
//! The database does not know what happened since. So all ends that is short-lived, whether or not it was used: its users
//! ask for another. What users would miss stays, unless the operator says otherwise: sessions, passwords, factors and API
//! keys.
//!
//! # Threats
//! - an access token that was revoked, and a challenge or a `state` that was used: all that were issued until now are refused
//! - a refresh token that was used: no family continues
//! - a mailed link that was used, or one of a version of the account that comes again: the counters that links contain jump
//!   ahead by the time, so that no number of restores repeats one
//! - a code of an authenticator app or a recovery code that was used: the codes of this minute are refused, and recovery
//!   codes are deleted, unless the operator keeps them
//! - a mail with a link that was sent already: those that wait are deleted; notices are sent again
//! - a run that is killed: what it ended stays so, and another run ends the rest

use std::time::Duration;

use super::credentials_changed::end_some_open_sign_ins;
use crate::crypto::totp;
use crate::domain::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{
    Database, Transaction, outbox, recovery_codes, refresh_tokens, revocations, sessions,
    totp_factors, users,
};

/// No access token is valid for longer (`tokens.access_lifetime`).
const LONGEST_ACCESS: Duration = Duration::from_secs(3600);
/// Rows of a transaction, so that a running server is not blocked.
const BATCH: u32 = 1000;

/// What the operator decides.
#[derive(Clone, Copy, Debug)]
pub struct AfterRestore {
    /// Sessions end too, also those that were signed out after the backup.
    pub ends_sessions: bool,
    /// Recovery codes stay, also used ones.
    pub keeps_recovery_codes: bool,
}

/// How much ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Refresh tokens.
    pub refresh_tokens: usize,
    /// Sign-ins under way, by a mailed code or link, another provider or a second factor.
    pub sign_ins: usize,
    /// Waiting mails with links.
    pub mails: usize,
    /// Recovery codes.
    pub recovery_codes: usize,
    /// Sessions.
    pub sessions: usize,
}

/// Ends all that could work a second time.
///
/// # Errors
/// Those of the database; then it is to be called again.
pub async fn end_after_restore(
    database: &Database,
    options: AfterRestore,
    now: Timestamp,
) -> Result<Ended> {
    database
        .write(move |tx| revocations::insert_all_until(tx, now, now + LONGEST_ACCESS))
        .await?;
    let mut ended = Ended {
        refresh_tokens: repeat(database, refresh_tokens::delete_some).await?,
        sign_ins: repeat(database, end_some_open_sign_ins).await?,
        mails: repeat(database, outbox::delete_some_waiting_links).await?,
        ..Ended::default()
    };
    if !options.keeps_recovery_codes {
        ended.recovery_codes = repeat(database, recovery_codes::delete_some).await?;
    }
    if options.ends_sessions {
        ended.sessions = repeat(database, sessions::delete_some).await?;
    }
    end_links_and_codes(database, now).await?;
    Ok(ended)
}

/// Until a batch is not full.
async fn repeat(
    database: &Database,
    delete: impl Fn(&Transaction<'_>, u32) -> Result<usize> + Copy + Send + 'static,
) -> Result<usize> {
    let mut all = 0;
    loop {
        let deleted = database.write(move |tx| delete(tx, BATCH)).await?;
        all += deleted;
        if deleted == 0 {
            return Ok(all);
        }
    }
}

/// User by user: mailed links, and the codes of authenticator apps that are accepted now.
async fn end_links_and_codes(database: &Database, now: Timestamp) -> Result<()> {
    let step = totp::last_step_at(now);
    let mut after = Some(UserId(0));
    while let Some(first) = after {
        after = database
            .write(move |tx| {
                let last = users::last_of_next(tx, first, BATCH)?;
                if let Some(last) = last {
                    users::end_links(tx, first, last, now)?;
                    totp_factors::use_steps_until(tx, first, last, step)?;
                }
                Ok(last)
            })
            .await?;
    }
    Ok(())
}
