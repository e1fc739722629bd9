//! The `pending_sign_ins` table: sign-ins that wait for a second factor.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{AuthMethods, TokenDigest, UserId};
use crate::store::{Reader, Row, Transaction};

/// A sign-in whose first factor was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSignIn {
    /// Who.
    pub user_id: UserId,
    /// How the first factor was presented.
    pub auth_methods: AuthMethods,
    /// The user's `credentials_version` then.
    pub credentials_version: i64,
    /// Whether the sign-in sent `remember`.
    pub remembered: bool,
    /// It is invalid from then on.
    pub expires_at: Timestamp,
}

/// Adds a sign-in by the digest of its token.
pub fn insert(tx: &Transaction<'_>, token: &TokenDigest, new: &PendingSignIn) -> Result<()> {
    let methods = new.auth_methods.to_stored();
    tx.execute(
        "INSERT INTO pending_sign_ins (token_digest, user_id, auth_methods, credentials_version, remembered,
         tries, expires_at) VALUES ($1, $2, $3, $4, $5, 0, $6)",
        &[
            token.into(),
            new.user_id.into(),
            methods.as_str().into(),
            new.credentials_version.into(),
            i64::from(new.remembered).into(),
            new.expires_at.into(),
        ],
    )
    .map(drop)
}

/// The sign-in with this token, if it is valid and fewer than `most` second factors were tried.
pub fn find(
    reader: &Reader<'_>,
    token: &TokenDigest,
    most: u32,
    now: Timestamp,
) -> Result<Option<PendingSignIn>> {
    reader.one(
        "SELECT user_id, auth_methods, credentials_version, remembered, expires_at
         FROM pending_sign_ins WHERE token_digest = $1 AND tries < $2 AND expires_at > $3",
        &[token.into(), most.into(), now.into()],
        read,
    )
}

/// The same, and counts a try.
pub fn try_once(
    tx: &Transaction<'_>,
    token: &TokenDigest,
    most: u32,
    now: Timestamp,
) -> Result<Option<PendingSignIn>> {
    tx.one(
        "UPDATE pending_sign_ins SET tries = tries + 1 WHERE token_digest = $1 AND tries < $2 AND expires_at > $3
         RETURNING user_id, auth_methods, credentials_version, remembered, expires_at",
        &[token.into(), most.into(), now.into()],
        read,
    )
}

/// Deletes a sign-in.
pub fn delete(tx: &Transaction<'_>, token: &TokenDigest) -> Result<()> {
    tx.execute(
        "DELETE FROM pending_sign_ins WHERE token_digest = $1",
        &[token.into()],
    )
    .map(drop)
}

/// Deletes the sign-ins of a user; returns how many.
pub fn delete_all_for_user(tx: &Transaction<'_>, user_id: UserId) -> Result<usize> {
    tx.execute(
        "DELETE FROM pending_sign_ins WHERE user_id = $1",
        &[user_id.into()],
    )
}

/// Deletes up to `limit` sign-ins of any user; returns how many.
pub fn delete_some(tx: &Transaction<'_>, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM pending_sign_ins WHERE token_digest IN (SELECT token_digest FROM pending_sign_ins LIMIT $1)",
        &[limit.into()],
    )
}

/// Deletes up to `limit` sign-ins that are expired; returns how many.
pub fn delete_expired(tx: &Transaction<'_>, now: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM pending_sign_ins WHERE token_digest IN
         (SELECT token_digest FROM pending_sign_ins WHERE expires_at <= $1 LIMIT $2)",
        &[now.into(), limit.into()],
    )
}

fn read(row: &Row<'_>) -> Result<PendingSignIn> {
    Ok(PendingSignIn {
        user_id: row.next()?,
        auth_methods: row.next()?,
        credentials_version: row.next()?,
        remembered: row.next::<i64>()? != 0,
        expires_at: row.next()?,
    })
}
