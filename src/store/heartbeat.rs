//! The `heartbeat` table: one row, whose writing proves that writing works.

use super::Transaction;
use crate::clock::Timestamp;
use crate::error::Result;

/// Writes the row.
pub(super) fn beat(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO heartbeat (id, beat_at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at",
        &[now.into()],
    )
    .map(drop)
}
