//! New rows of `revoked_access_tokens`, of all nodes, for the list in memory.
//!
//! Rows become visible in the order of commits, which no number in them follows. Each row has the transaction that wrote
//! it, and a reading returns the rows of transactions that the reading before could not see: those that ran at the time
//! are read when they commit, however late. A long transaction of another program makes readings scan more rows and
//! hides none.
//!
//! # Threats
//! - a fail-over to a server that lacks transactions: it assigns their numbers again, so after a session was lost all
//!   rows are read

use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::clock::{Clock, Timestamp};
use crate::domain::error::{Error, Result};
use crate::store::engine::Reader;
use crate::store::revocation_list::RevocationList;
use crate::store::tables::revocations::Revocation;

/// A snapshot in which no transaction is visible: 3 is the first.
const NOTHING_SEEN: &str = "3:3:";

/// One row for the snapshot, although there is no new one.
const NEW_ROWS: &str =
    "SELECT CAST(pg_current_snapshot() AS text), r.seq, r.session_id, r.jti, r.until,
            r.issued_until
     FROM (VALUES (1)) AS one LEFT JOIN revoked_access_tokens AS r
     ON r.written_by >= pg_snapshot_xmin(CAST(CAST($1 AS text) AS pg_snapshot))
        AND NOT pg_visible_in_snapshot(r.written_by, CAST(CAST($1 AS text) AS pg_snapshot))";

/// A dump that was restored into another server brings numbers of transactions that this one has not assigned yet. All
/// would be read each time.
pub(super) const ADOPT_RESTORED_ROWS: &str = "UPDATE revoked_access_tokens SET written_by = '3'
     WHERE written_by >= pg_snapshot_xmax(pg_current_snapshot())";

/// What was read so far.
#[derive(Debug)]
pub(super) struct Feed {
    list: Arc<RevocationList>,
    clock: Clock,
    /// All rows that are visible in this snapshot are in the list.
    seen: Mutex<String>,
}

impl Feed {
    pub fn new(list: Arc<RevocationList>, clock: Clock) -> Self {
        Self {
            list,
            clock,
            seen: Mutex::new(NOTHING_SEEN.to_owned()),
        }
    }

    /// Adds the new rows to the list. Concurrent readings are no harm: each brings the list up to its own snapshot.
    pub fn read(&self, reader: &Reader<'_>) -> Result<()> {
        self.list.refresh(self.clock.now(), || {
            let seen = self.seen.lock().clone();
            let rows = reader.all(NEW_ROWS, &[seen.as_str().into()], |row| {
                let snapshot: String = row.get(0)?;
                let seq: Option<i64> = row.get(1)?;
                let revocation = match seq {
                    None => None,
                    Some(seq) => Some(Revocation {
                        seq,
                        session_id: row.get(2)?,
                        jti: row.get(3)?,
                        until: row.get::<Timestamp>(4)?,
                        issued_until: row.get(5)?,
                    }),
                };
                Ok((snapshot, revocation))
            })?;
            let (mut snapshots, found): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            let snapshot = snapshots
                .pop()
                .ok_or_else(|| Error::internal("a snapshot returned no row"))?;
            self.list.add(found.into_iter().flatten().collect());
            let mut current = self.seen.lock();
            // Not over a restart, nor over a reading that finished meanwhile.
            if *current == seen {
                *current = snapshot;
            }
            Ok(())
        })
    }

    /// Reads after a commit of this process, before its caller is answered.
    pub fn read_after_commit(&self, reader: &Reader<'_>) {
        if let Err(error) = self.read(reader) {
            tracing::error!(%error, "cannot read revoked access tokens");
            self.list.note_missing();
        }
    }

    /// Notes that a commit may have happened, although it failed.
    pub fn commit_failed(&self) {
        self.list.note_missing();
    }

    /// Reads all rows at the next reading.
    pub fn restart(&self) {
        NOTHING_SEEN.clone_into(&mut self.seen.lock());
        self.list.note_missing();
    }
}
