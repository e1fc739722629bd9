//! The `known_devices` table: devices that users signed in from.

use std::time::Duration;

use crate::domain::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{Reader, Transaction};

/// How exactly it is known when a device was used last.
const PRECISION: Duration = Duration::from_secs(60 * 60);

/// What is known of a user's devices before a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How many are known.
    pub devices: u32,
    /// Whether one of them is this one, whose last use is known exactly enough: there is nothing to write.
    pub is_current: bool,
}

/// Looks at the devices of a user.
pub fn look(
    reader: &Reader<'_>,
    user_id: UserId,
    fingerprint: &str,
    now: Timestamp,
) -> Result<Seen> {
    let seen = reader.one(
        "SELECT count(*), count(CASE WHEN fingerprint = $1 AND seen_at > $2 AND seen_at <= $3 THEN 1 END)
         FROM known_devices WHERE user_id = $4",
        &[
            fingerprint.into(),
            (now - PRECISION).into(),
            now.into(),
            user_id.into(),
        ],
        |row| Ok((row.next::<i64>()?, row.next::<i64>()?)),
    )?;
    let (devices, current) = seen.unwrap_or_default();
    Ok(Seen {
        devices: u32::try_from(devices).unwrap_or(u32::MAX),
        is_current: current > 0,
    })
}

/// Records a sign-in from a device; returns whether it is new. It reads nothing: on PostgreSQL, sign-ins of several users
/// would be in each other's way on the pages of the index.
pub fn note(
    tx: &Transaction<'_>,
    user_id: UserId,
    fingerprint: &str,
    now: Timestamp,
) -> Result<bool> {
    let inserted = tx.execute(
        "INSERT INTO known_devices (user_id, fingerprint, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, fingerprint) DO NOTHING",
        &[user_id.into(), fingerprint.into(), now.into()],
    )?;
    if inserted == 0 {
        tx.execute(
            "UPDATE known_devices SET seen_at = $1 WHERE user_id = $2 AND fingerprint = $3",
            &[now.into(), user_id.into(), fingerprint.into()],
        )?;
    }
    Ok(inserted == 1)
}

/// Whether the user has other devices than this one.
pub fn has_others(reader: &Reader<'_>, user_id: UserId, fingerprint: &str) -> Result<bool> {
    reader.exists(
        "SELECT 1 FROM known_devices WHERE user_id = $1 AND fingerprint <> $2 LIMIT 1",
        &[user_id.into(), fingerprint.into()],
    )
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
