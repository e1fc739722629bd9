//! The `totp_factors` table: the authenticator app of a user.

use crate::crypto::sealed::Sealed;
use crate::domain::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{Reader, Row, Transaction};

/// An authenticator app, or one that is being set up.
#[derive(Clone, Debug)]
pub struct TotpFactor {
    /// Its secret.
    pub secret: Sealed,
    /// When the secret was made.
    pub created_at: Timestamp,
    /// When a code proved it; `None` while it is no factor.
    pub enrolled_at: Option<Timestamp>,
}

/// The authenticator app of a user, proved or not.
pub fn find(reader: &Reader<'_>, user_id: UserId) -> Result<Option<TotpFactor>> {
    reader.one(
        "SELECT key_base, sealed_secret, created_at, enrolled_at FROM totp_factors WHERE user_id = $1",
        &[user_id.into()],
        |row| {
            Ok(TotpFactor {
                secret: read_secret(row)?,
                created_at: row.next()?,
                enrolled_at: row.next()?,
            })
        },
    )
}

/// When the user enrolled an authenticator app.
pub fn enrolled_at(reader: &Reader<'_>, user_id: UserId) -> Result<Option<Timestamp>> {
    reader.one(
        "SELECT enrolled_at FROM totp_factors WHERE user_id = $1 AND enrolled_at IS NOT NULL",
        &[user_id.into()],
        |row| row.get(0),
    )
}

/// Stores a secret to be proved, in place of an earlier one that was not; `false` if the user has a proved one.
pub fn insert(
    tx: &Transaction<'_>,
    user_id: UserId,
    secret: &Sealed,
    now: Timestamp,
) -> Result<bool> {
    let stored = tx.execute(
        "INSERT INTO totp_factors (user_id, sealed_secret, key_base, created_at, last_step) VALUES ($1, $2, $3, $4, 0)
         ON CONFLICT (user_id) DO UPDATE SET sealed_secret = excluded.sealed_secret, key_base = excluded.key_base,
         created_at = excluded.created_at WHERE totp_factors.enrolled_at IS NULL",
        &[
            user_id.into(),
            (&secret.bytes).into(),
            (&secret.key_base).into(),
            now.into(),
        ],
    )?;
    Ok(stored == 1)
}

/// Makes a secret a factor by the code of this time step; `false` if it is one, or there is none.
pub fn enrol(tx: &Transaction<'_>, user_id: UserId, step: i64, now: Timestamp) -> Result<bool> {
    let enrolled = tx.execute(
        "UPDATE totp_factors SET enrolled_at = $1, last_step = $2 WHERE user_id = $3 AND enrolled_at IS NULL",
        &[now.into(), step.into(), user_id.into()],
    )?;
    Ok(enrolled == 1)
}

/// Uses the code of a time step; `false` if it or a later one was used. Of concurrent calls one wins.
pub fn use_step(tx: &Transaction<'_>, user_id: UserId, step: i64) -> Result<bool> {
    let used = tx.execute(
        "UPDATE totp_factors SET last_step = $1 WHERE user_id = $2 AND last_step < $1 AND enrolled_at IS NOT NULL",
        &[step.into(), user_id.into()],
    )?;
    Ok(used == 1)
}

/// Uses up the codes until a time step of the users above `after` up to `last`; returns of how many.
pub fn use_steps_until(
    tx: &Transaction<'_>,
    after: UserId,
    last: UserId,
    step: i64,
) -> Result<usize> {
    tx.execute(
        "UPDATE totp_factors SET last_step = $1 WHERE user_id > $2 AND user_id <= $3 AND last_step < $1",
        &[step.into(), after.into(), last.into()],
    )
}

/// Removes the authenticator app; returns whether it was a factor.
pub fn delete(tx: &Transaction<'_>, user_id: UserId) -> Result<bool> {
    let enrolled = enrolled_at(tx, user_id)?.is_some();
    tx.execute(
        "DELETE FROM totp_factors WHERE user_id = $1",
        &[user_id.into()],
    )?;
    Ok(enrolled)
}

/// Deletes up to `limit` secrets that were created by `before` and never proved; returns how many.
pub fn delete_unproved(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM totp_factors WHERE user_id IN
         (SELECT user_id FROM totp_factors WHERE enrolled_at IS NULL AND created_at <= $1 LIMIT $2)",
        &[before.into(), limit.into()],
    )
}

/// Up to `limit` secrets that are sealed under another key base than this, of users above `after`, by user.
pub fn list_sealed_otherwise(
    reader: &Reader<'_>,
    key_base: &str,
    after: UserId,
    limit: u32,
) -> Result<Vec<(UserId, Sealed)>> {
    reader.all(
        "SELECT user_id, key_base, sealed_secret FROM totp_factors
         WHERE key_base <> $1 AND user_id > $2 ORDER BY user_id LIMIT $3",
        &[key_base.into(), after.into(), limit.into()],
        |row| Ok((row.next()?, read_secret(row)?)),
    )
}

/// The number of secrets that each key base seals.
pub fn count_by_key_base(reader: &Reader<'_>) -> Result<Vec<(String, i64)>> {
    reader.all(
        "SELECT key_base, count(*) FROM totp_factors GROUP BY key_base ORDER BY key_base",
        &[],
        |row| Ok((row.next()?, row.next()?)),
    )
}

/// Replaces the sealed form `old` of a secret by `new`; `false` if it is another by now.
pub fn reseal(tx: &Transaction<'_>, user_id: UserId, old: &Sealed, new: &Sealed) -> Result<bool> {
    let resealed = tx.execute(
        "UPDATE totp_factors SET sealed_secret = $1, key_base = $2 WHERE user_id = $3 AND sealed_secret = $4",
        &[
            (&new.bytes).into(),
            (&new.key_base).into(),
            user_id.into(),
            (&old.bytes).into(),
        ],
    )?;
    Ok(resealed == 1)
}

fn read_secret(row: &Row<'_>) -> Result<Sealed> {
    Ok(Sealed {
        key_base: row.next()?,
        bytes: row.next()?,
    })
}
