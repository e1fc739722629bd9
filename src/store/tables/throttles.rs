//! The `throttles` table: one counter per name, in a window that starts with its first hit.

use std::time::Duration;

use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::store::{Reader, Row, Transaction};

/// A counter in its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Hits in this window.
    pub count: u32,
    /// When the window ends.
    pub expires_at: Timestamp,
}

/// Adds a hit and returns the counter with it. An expired window is replaced by a new one.
pub fn hit(tx: &Transaction<'_>, name: &str, window: Duration, now: Timestamp) -> Result<Counter> {
    tx.one(
        "INSERT INTO throttles (name, count, expires_at) VALUES ($1, 1, $2)
         ON CONFLICT (name) DO UPDATE SET
             count = CASE WHEN throttles.expires_at <= $3 THEN 1 ELSE throttles.count + 1 END,
             expires_at = CASE WHEN throttles.expires_at <= $3 THEN excluded.expires_at ELSE throttles.expires_at END
         RETURNING count, expires_at",
        &[name.into(), (now + window).into(), now.into()],
        read,
    )?
    .ok_or_else(|| Error::internal("an upsert returned no row"))
}

/// The counter; `None` without a current window.
pub fn find(reader: &Reader<'_>, name: &str, now: Timestamp) -> Result<Option<Counter>> {
    reader.one(
        "SELECT count, expires_at FROM throttles WHERE name = $1 AND expires_at > $2",
        &[name.into(), now.into()],
        read,
    )
}

/// Deletes a counter.
pub fn clear(tx: &Transaction<'_>, name: &str) -> Result<()> {
    tx.execute("DELETE FROM throttles WHERE name = $1", &[name.into()])
        .map(drop)
}

/// Starts a new window without hits.
pub fn grant(tx: &Transaction<'_>, name: &str, window: Duration, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO throttles (name, count, expires_at) VALUES ($1, 0, $2)
         ON CONFLICT (name) DO UPDATE SET count = 0, expires_at = excluded.expires_at",
        &[name.into(), (now + window).into()],
    )
    .map(drop)
}

/// Deletes a counter whose window ends at `expires_at`; `false` if it has another window by now. Of two concurrent calls
/// one wins.
pub fn clear_window(tx: &Transaction<'_>, name: &str, expires_at: Timestamp) -> Result<bool> {
    let cleared = tx.execute(
        "DELETE FROM throttles WHERE name = $1 AND expires_at = $2",
        &[name.into(), expires_at.into()],
    )?;
    Ok(cleared == 1)
}

/// Deletes up to `limit` counters with expired windows; returns how many.
pub fn delete_expired(tx: &Transaction<'_>, now: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM throttles WHERE name IN (SELECT name FROM throttles WHERE expires_at <= $1 LIMIT $2)",
        &[now.into(), limit.into()],
    )
}

fn read(row: &Row<'_>) -> Result<Counter> {
    Ok(Counter {
        count: u32::try_from(row.get::<i64>(0)?).unwrap_or(u32::MAX),
        expires_at: row.get(1)?,
    })
}
