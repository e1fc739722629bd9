//! The `throttles` table: one counter per name, in a window that starts with its first hit. A window that ends later than
//! its length from now was started under a wrong clock, and is over too.

use std::time::Duration;

use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::store::{Reader, Row, Transaction};

/// What was counted in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Hits in this window.
    pub count: u32,
    /// When the window ends.
    pub expires_at: Timestamp,
}

/// Adds a hit and returns the count with it. A window that is over is replaced by a new one.
pub fn hit(tx: &Transaction<'_>, name: &str, window: Duration, now: Timestamp) -> Result<Counted> {
    tx.one(
        "INSERT INTO throttles (name, count, expires_at) VALUES ($1, 1, $2)
         ON CONFLICT (name) DO UPDATE SET
             count = CASE WHEN throttles.expires_at > $3 AND throttles.expires_at <= $2
                 THEN throttles.count + 1 ELSE 1 END,
             expires_at = CASE WHEN throttles.expires_at > $3 AND throttles.expires_at <= $2
                 THEN throttles.expires_at ELSE excluded.expires_at END
         RETURNING count, expires_at",
        &[name.into(), (now + window).into(), now.into()],
        read,
    )?
    .ok_or_else(|| Error::internal("an upsert returned no row"))
}

/// What was counted; `None` without a current window.
pub fn find(
    reader: &Reader<'_>,
    name: &str,
    window: Duration,
    now: Timestamp,
) -> Result<Option<Counted>> {
    // By the name alone: a planner that knows no rows yet may take the index of times, and read all counters.
    let counted = reader.one(
        "SELECT count, expires_at FROM throttles WHERE name = $1",
        &[name.into()],
        read,
    )?;
    let is_current =
        |counted: &Counted| now < counted.expires_at && counted.expires_at <= now + window;
    Ok(counted.filter(is_current))
}

/// Takes a hit back from the window that ends at `expires_at`.
pub fn give_back(tx: &Transaction<'_>, name: &str, expires_at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE throttles SET count = count - 1 WHERE name = $1 AND expires_at = $2 AND count > 0",
        &[name.into(), expires_at.into()],
    )
    .map(drop)
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

/// Takes the window that ends at `expires_at`; `false` if it was taken before. Of two concurrent calls one wins.
pub fn claim(tx: &Transaction<'_>, name: &str, expires_at: Timestamp) -> Result<bool> {
    let claimed = tx.execute(
        "INSERT INTO throttles (name, count, expires_at) VALUES ($1, 1, $2)
         ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at
             WHERE throttles.expires_at <> excluded.expires_at",
        &[name.into(), expires_at.into()],
    )?;
    Ok(claimed == 1)
}

/// The counters with the most hits whose windows have not ended, with their names.
pub fn list(reader: &Reader<'_>, now: Timestamp, limit: u32) -> Result<Vec<(String, Counted)>> {
    reader.all(
        "SELECT count, expires_at, name FROM throttles WHERE expires_at > $1 ORDER BY count DESC, name LIMIT $2",
        &[now.into(), limit.into()],
        |row| Ok((row.get(2)?, read(row)?)),
    )
}

/// Deletes a counter, and those of its kinds and networks: `name` and `name:…`. Returns how many.
pub fn clear_with_kinds(tx: &Transaction<'_>, name: &str) -> Result<usize> {
    // A semicolon follows the colon in the order of bytes.
    tx.execute(
        "DELETE FROM throttles WHERE name = $1 OR (name > $2 AND name < $3)",
        &[
            name.into(),
            format!("{name}:").as_str().into(),
            format!("{name};").as_str().into(),
        ],
    )
}

/// Deletes all counters that name a subject, which the ceiling of mails does not; returns how many.
pub fn clear_subjects(tx: &Transaction<'_>) -> Result<usize> {
    tx.execute("DELETE FROM throttles WHERE name LIKE '%:%'", &[])
}

/// Deletes up to `limit` counters whose windows are over, if none is longer than `longest`; returns how many.
pub fn delete_expired(
    tx: &Transaction<'_>,
    longest: Duration,
    now: Timestamp,
    limit: u32,
) -> Result<usize> {
    tx.execute(
        "DELETE FROM throttles WHERE name IN
         (SELECT name FROM throttles WHERE expires_at <= $1 OR expires_at > $2 LIMIT $3)",
        &[now.into(), (now + longest).into(), limit.into()],
    )
}

fn read(row: &Row<'_>) -> Result<Counted> {
    Ok(Counted {
        count: u32::try_from(row.get::<i64>(0)?).unwrap_or(u32::MAX),
        expires_at: row.get(1)?,
    })
}
