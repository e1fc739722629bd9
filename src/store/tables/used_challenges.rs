//! The `used_webauthn_challenges` table: challenges that an authenticator answered and that no other answer may use.

use crate::domain::TokenDigest;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::Transaction;

/// Uses a challenge, which expires at `expires_at`; `false` if it was used. Of concurrent calls one wins.
pub fn use_once(tx: &Transaction<'_>, digest: &TokenDigest, expires_at: Timestamp) -> Result<bool> {
    let used = tx.execute(
        "INSERT INTO used_webauthn_challenges (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
        &[digest.into(), expires_at.into()],
    )?;
    Ok(used == 1)
}

/// Deletes up to `limit` challenges that were expired by `before`; returns how many.
pub fn delete_expired(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM used_webauthn_challenges WHERE digest IN
         (SELECT digest FROM used_webauthn_challenges WHERE expires_at <= $1 LIMIT $2)",
        &[before.into(), limit.into()],
    )
}
