//! The `revoked_access_tokens` table: access tokens that are revoked before they expire, singly or with their session.
//!
//! A trigger writes a row for each session that is deleted, in whatever way. [`RevocationList`] keeps the rows in
//! memory, for requests.
//!
//! [`RevocationList`]: crate::store::revocation_list::RevocationList

use std::time::Duration;

use crate::domain::SessionId;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{Reader, Transaction};

/// How long a row is kept after its tokens expired: a clock that is set back by up to a day makes none valid again,
/// unless it was set forward before.
pub const KEEP: Duration = Duration::from_secs(24 * 3600);

pub(in crate::store) const DELETE_EXPIRED: &str = "DELETE FROM revoked_access_tokens WHERE seq IN (SELECT seq FROM revoked_access_tokens WHERE until <= $1 LIMIT $2)";

/// Revoked access tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The order of commits.
    pub seq: i64,
    /// The session of the tokens.
    pub session_id: SessionId,
    /// The one token; `None`: all of the session.
    pub jti: Option<String>,
    /// When the last of them expires.
    pub until: Timestamp,
}

/// Up to `limit` rows above `seq`, in order.
pub fn list_after(reader: &Reader<'_>, seq: i64, limit: u32) -> Result<Vec<Revocation>> {
    reader.all(
        "SELECT seq, session_id, jti, until FROM revoked_access_tokens WHERE seq > $1 ORDER BY seq LIMIT $2",
        &[seq.into(), limit.into()],
        |row| {
            Ok(Revocation {
                seq: row.get(0)?,
                session_id: row.get(1)?,
                jti: row.get(2)?,
                until: row.get(3)?,
            })
        },
    )
}

/// Whether a token was revoked alone, according to the table: for the transaction of a write.
pub fn has_token(reader: &Reader<'_>, jti: &str) -> Result<bool> {
    reader.exists(
        "SELECT 1 FROM revoked_access_tokens WHERE jti = $1",
        &[jti.into()],
    )
}

/// Revokes one token; doing it again changes nothing.
pub fn insert_token(
    tx: &Transaction<'_>,
    session_id: SessionId,
    jti: &str,
    until: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO revoked_access_tokens (session_id, jti, until) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        &[session_id.into(), jti.into(), until.into()],
    )
    .map(drop)
}

/// Deletes up to `limit` rows whose tokens expired before `before`; returns how many.
pub fn delete_expired(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(DELETE_EXPIRED, &[before.into(), limit.into()])
}
