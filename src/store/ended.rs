//! The `ended_access` table: access tokens that are refused before they expire. A trigger adds those of a session,
//! however it is deleted.

use super::{Reader, Transaction};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::SessionId;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedAccess {
    /// Its place in the order of commits.
    pub seq: i64,
    /// The session that the tokens were made under.
    pub session_id: SessionId,
    /// The one token that ended; `None`: all of the session.
    pub jti: Option<String>,
    /// When the last of them expires.
    pub until: Timestamp,
}

/// Those behind `seq`, in the order of commits.
pub fn list_after(reader: &Reader<'_>, seq: i64, limit: u32) -> Result<Vec<EndedAccess>> {
    reader.all(
        "SELECT seq, session_id, jti, until FROM ended_access WHERE seq > $1 ORDER BY seq LIMIT $2",
        &[seq.into(), limit.into()],
        |row| {
            Ok(EndedAccess {
                seq: row.get(0)?,
                session_id: row.get(1)?,
                jti: row.get(2)?,
                until: row.get(3)?,
            })
        },
    )
}

/// Whether a token ended, alone or with its session.
pub fn has(reader: &Reader<'_>, session_id: SessionId, jti: &str) -> Result<bool> {
    let found = reader.one(
        "SELECT 1 FROM ended_access WHERE session_id = $1 AND (jti IS NULL OR jti = $2)",
        &[session_id.into(), jti.into()],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Ends one token alone, once.
pub fn insert_token(tx: &Transaction<'_>, session_id: SessionId, jti: &str, until: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO ended_access (session_id, jti, until) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        &[session_id.into(), jti.into(), until.into()],
    )
    .map(drop)
}

/// Deletes some whose tokens had all expired by `before`; gives how many.
pub fn delete_over(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM ended_access WHERE seq IN (SELECT seq FROM ended_access WHERE until <= $1 LIMIT $2)",
        &[before.into(), limit.into()],
    )
}
