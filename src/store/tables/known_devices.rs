//! The `known_devices` table: devices that users signed in from.

use crate::domain::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::store::Transaction;

/// What a device was to an account before a sign-in from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// The account has no known device.
    First,
    /// A known device.
    Known,
    /// A device that is not among the known ones.
    New,
}

/// Records a sign-in from a device; returns what the device was before.
pub fn note(
    tx: &Transaction<'_>,
    user_id: UserId,
    fingerprint: &str,
    now: Timestamp,
) -> Result<Sighting> {
    let (same, any) = tx
        .one(
            "SELECT count(CASE WHEN fingerprint = $1 THEN 1 END), count(*) FROM known_devices WHERE user_id = $2",
            &[fingerprint.into(), user_id.into()],
            |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)),
        )?
        .ok_or_else(|| Error::internal("a count returned no row"))?;
    tx.execute(
        "INSERT INTO known_devices (user_id, fingerprint, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, fingerprint) DO UPDATE SET seen_at = excluded.seen_at",
        &[user_id.into(), fingerprint.into(), now.into()],
    )?;
    Ok(match (same, any) {
        (_, 0) => Sighting::First,
        (0, _) => Sighting::New,
        _ => Sighting::Known,
    })
}

/// Deletes the devices of a user except the `most` seen last; returns how many.
pub fn delete_beyond(tx: &Transaction<'_>, user_id: UserId, most: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM known_devices WHERE user_id = $1 AND fingerprint NOT IN
         (SELECT fingerprint FROM known_devices WHERE user_id = $1 ORDER BY seen_at DESC, fingerprint LIMIT $2)",
        &[user_id.into(), most.into()],
    )
}

/// Deletes all devices of a user; returns how many.
pub fn delete_all_for_user(tx: &Transaction<'_>, user_id: UserId) -> Result<usize> {
    tx.execute(
        "DELETE FROM known_devices WHERE user_id = $1",
        &[user_id.into()],
    )
}

/// Deletes up to `limit` devices that were last seen by `before`; returns how many.
pub fn delete_unseen(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM known_devices WHERE (user_id, fingerprint) IN
         (SELECT user_id, fingerprint FROM known_devices WHERE seen_at <= $1 LIMIT $2)",
        &[before.into(), limit.into()],
    )
}
