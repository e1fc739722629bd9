//! The `recovery_codes` table: the codes that a user has left.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{TokenDigest, UserId};
use crate::store::{Reader, Transaction};

/// Replaces the codes of a user.
pub fn replace(
    tx: &Transaction<'_>,
    user_id: UserId,
    digests: &[TokenDigest],
    now: Timestamp,
) -> Result<()> {
    delete_all(tx, user_id)?;
    for digest in digests {
        tx.execute(
            "INSERT INTO recovery_codes (user_id, code_digest, created_at) VALUES ($1, $2, $3)",
            &[user_id.into(), digest.into(), now.into()],
        )?;
    }
    Ok(())
}

/// Uses a code, which deletes it; `false` if the user has no such code. Of concurrent calls one wins.
pub fn take(tx: &Transaction<'_>, user_id: UserId, digest: &TokenDigest) -> Result<bool> {
    let taken = tx.execute(
        "DELETE FROM recovery_codes WHERE user_id = $1 AND code_digest = $2",
        &[user_id.into(), digest.into()],
    )?;
    Ok(taken == 1)
}

/// How many codes a user has left.
pub fn count(reader: &Reader<'_>, user_id: UserId) -> Result<i64> {
    let count = reader.one(
        "SELECT count(*) FROM recovery_codes WHERE user_id = $1",
        &[user_id.into()],
        |row| row.get(0),
    )?;
    Ok(count.unwrap_or_default())
}

/// Deletes all codes of a user; returns how many.
pub fn delete_all(tx: &Transaction<'_>, user_id: UserId) -> Result<usize> {
    tx.execute(
        "DELETE FROM recovery_codes WHERE user_id = $1",
        &[user_id.into()],
    )
}

/// Deletes the codes of up to `limit` users; returns how many codes.
pub fn delete_some(tx: &Transaction<'_>, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM recovery_codes WHERE user_id IN
         (SELECT DISTINCT user_id FROM recovery_codes ORDER BY user_id LIMIT $1)",
        &[limit.into()],
    )
}
