//! The `provider_sign_ins` table: sign-ins that came back from another provider. A row is added when the browser returns,
//! so that `state` works once; it gets the identity and the digest of an exchange code when the provider has confirmed it.

use crate::domain::TokenDigest;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{Reader, Row, Transaction};

/// A sign-in that the provider has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSignIn {
    /// The name of the provider in the settings.
    pub provider: String,
    /// What the code is bound to: the browser or the app that started the sign-in.
    pub bound_to: String,
    /// The identity, as JSON.
    pub identity: String,
}

/// Uses up a `state`, which is valid until `expires_at`; `false` if it was used before.
pub fn claim(tx: &Transaction<'_>, state: &TokenDigest, expires_at: Timestamp) -> Result<bool> {
    let inserted = tx.execute(
        "INSERT INTO provider_sign_ins (state_digest, expires_at) VALUES ($1, $2) ON CONFLICT (state_digest) DO NOTHING",
        &[state.into(), expires_at.into()],
    )?;
    Ok(inserted == 1)
}

/// Stores what the provider confirmed, under the digest of the code that is exchanged for it until `code_expires_at`.
pub fn confirm(
    tx: &Transaction<'_>,
    state: &TokenDigest,
    code: &TokenDigest,
    confirmed: &ProviderSignIn,
    code_expires_at: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE provider_sign_ins SET code_digest = $1, provider = $2, bound_to = $3, identity = $4,
             code_expires_at = $5 WHERE state_digest = $6",
        &[
            code.into(),
            (&confirmed.provider).into(),
            (&confirmed.bound_to).into(),
            (&confirmed.identity).into(),
            code_expires_at.into(),
            state.into(),
        ],
    )
    .map(drop)
}

/// The sign-in with this code, if the code is valid and was not used.
pub fn find(
    reader: &Reader<'_>,
    code: &TokenDigest,
    now: Timestamp,
) -> Result<Option<ProviderSignIn>> {
    reader.one(
        "SELECT provider, bound_to, identity FROM provider_sign_ins WHERE code_digest = $1 AND code_expires_at > $2",
        &[code.into(), now.into()],
        read,
    )
}

/// Uses up a code: the row stays without it and without the identity, so that its `state` does not work again. `false` if
/// the code was used or is expired. Of concurrent calls one wins.
pub fn take(tx: &Transaction<'_>, code: &TokenDigest, now: Timestamp) -> Result<bool> {
    let taken = tx.execute(
        "UPDATE provider_sign_ins SET code_digest = NULL, identity = NULL
         WHERE code_digest = $1 AND code_expires_at > $2",
        &[code.into(), now.into()],
    )?;
    Ok(taken == 1)
}

/// Voids up to `limit` codes that were not used; returns how many. The rows stay, so that no `state` works again.
pub fn void_some(tx: &Transaction<'_>, limit: u32) -> Result<usize> {
    tx.execute(
        "UPDATE provider_sign_ins SET code_digest = NULL, identity = NULL WHERE state_digest IN
         (SELECT state_digest FROM provider_sign_ins WHERE code_digest IS NOT NULL LIMIT $1)",
        &[limit.into()],
    )
}

/// Deletes up to `limit` rows whose `state` is expired; returns how many.
pub fn delete_expired(tx: &Transaction<'_>, now: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM provider_sign_ins WHERE state_digest IN
         (SELECT state_digest FROM provider_sign_ins WHERE expires_at <= $1 LIMIT $2)",
        &[now.into(), limit.into()],
    )
}

fn read(row: &Row<'_>) -> Result<ProviderSignIn> {
    Ok(ProviderSignIn {
        provider: row.next()?,
        bound_to: row.next()?,
        identity: row.next()?,
    })
}
