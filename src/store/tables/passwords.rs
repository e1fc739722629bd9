//! The `passwords` table: the digest of a user's password. A user may have none.

use super::users;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{PasswordDigest, UserId};
use crate::store::Transaction;

/// Gives a user a first password; `false` if they have one.
pub fn insert(
    tx: &Transaction<'_>,
    user_id: UserId,
    digest: &PasswordDigest,
    now: Timestamp,
) -> Result<bool> {
    let inserted = tx.execute(
        "INSERT INTO passwords (user_id, digest, created_at, updated_at) VALUES ($1, $2, $3, $3)
         ON CONFLICT (user_id) DO NOTHING",
        &[user_id.into(), digest.into(), now.into()],
    )?;
    Ok(inserted == 1)
}

/// Replaces the digest `old` (`None`: no password yet) by `new`; `false` if it is another by now. Of two concurrent calls
/// one wins.
pub fn replace(
    tx: &Transaction<'_>,
    user_id: UserId,
    old: Option<&PasswordDigest>,
    new: &PasswordDigest,
    now: Timestamp,
) -> Result<bool> {
    let replaced = match old {
        None => insert(tx, user_id, new, now)?,
        Some(old) => tx.execute(
            "UPDATE passwords SET digest = $1, updated_at = $2 WHERE user_id = $3 AND digest = $4",
            &[new.into(), now.into(), user_id.into(), old.into()],
        )? == 1,
    };
    if replaced {
        users::touch(tx, user_id, now)?;
    }
    Ok(replaced)
}

/// Removes the password of a user; `false` if there is none.
pub fn delete(tx: &Transaction<'_>, user_id: UserId) -> Result<bool> {
    let deleted = tx.execute(
        "DELETE FROM passwords WHERE user_id = $1",
        &[user_id.into()],
    )?;
    Ok(deleted == 1)
}

/// Removes the password of a user who has a passkey; `false` if they have none, or have no password.
pub fn remove(tx: &Transaction<'_>, user_id: UserId, now: Timestamp) -> Result<bool> {
    let removed = tx.execute(
        "DELETE FROM passwords WHERE user_id = $1 AND EXISTS (SELECT 1 FROM passkeys WHERE user_id = $1)",
        &[user_id.into()],
    )?;
    if removed == 1 {
        users::touch(tx, user_id, now)?;
    }
    Ok(removed == 1)
}
