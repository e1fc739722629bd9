//! The `retired_key_bases` table: since when each previous key base signs nothing.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{Reader, Transaction};

/// Since when the base of this name signs nothing; `None` if it may sign.
pub fn retired_at(reader: &Reader<'_>, name: &str) -> Result<Option<Timestamp>> {
    reader.one(
        "SELECT retired_at FROM retired_key_bases WHERE name = $1",
        &[name.into()],
        |row| row.get(0),
    )
}

/// Records that the base of this name signs nothing from `now` on, unless it has not for longer; returns since when.
pub fn retire(tx: &Transaction<'_>, name: &str, now: Timestamp) -> Result<Timestamp> {
    // A time that is not reached yet is of a clock that was ahead.
    tx.execute(
        "INSERT INTO retired_key_bases (name, retired_at) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET retired_at = excluded.retired_at
         WHERE excluded.retired_at < retired_key_bases.retired_at",
        &[name.into(), now.into()],
    )?;
    Ok(retired_at(tx, name)?.unwrap_or(now))
}

/// Records that the base of this name signs again.
pub fn reinstate(tx: &Transaction<'_>, name: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM retired_key_bases WHERE name = $1",
        &[name.into()],
    )
    .map(drop)
}
