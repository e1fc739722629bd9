//! The `revoked_access_tokens` table: access tokens that are revoked before they expire, singly or with their session.
//! Beyond [`MAX_SINGLE`] single ones, a session has one row for all tokens that were issued until the oldest of them.
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

/// The single revocations of a session that have a row each.
pub const MAX_SINGLE: usize = 16;

pub(in crate::store) const DELETE_EXPIRED: &str = "DELETE FROM revoked_access_tokens WHERE seq IN (SELECT seq FROM revoked_access_tokens WHERE until <= $1 LIMIT $2)";

/// In place of a session: all sessions. No session has this id.
pub const ALL_SESSIONS: SessionId = SessionId(0);

/// Revoked access tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The order of commits.
    pub seq: i64,
    /// The session of the tokens.
    pub session_id: SessionId,
    /// The one token; `None`: several of the session.
    pub jti: Option<String>,
    /// When the last of them was issued; `None`: all of the session.
    pub issued_until: Option<Timestamp>,
    /// When the last of them expires.
    pub until: Timestamp,
}

/// Up to `limit` rows above `seq`, in order.
pub fn list_after(reader: &Reader<'_>, seq: i64, limit: u32) -> Result<Vec<Revocation>> {
    reader.all(
        "SELECT seq, session_id, jti, until, issued_until FROM revoked_access_tokens WHERE seq > $1 ORDER BY seq LIMIT $2",
        &[seq.into(), limit.into()],
        |row| {
            Ok(Revocation {
                seq: row.get(0)?,
                session_id: row.get(1)?,
                jti: row.get(2)?,
                until: row.get(3)?,
                issued_until: row.get(4)?,
            })
        },
    )
}

/// Whether a token was revoked apart from its session, according to the table: for the transaction of a write.
pub fn has_token(
    reader: &Reader<'_>,
    session_id: SessionId,
    jti: &str,
    issued_at: Timestamp,
) -> Result<bool> {
    reader.exists(
        "SELECT 1 FROM revoked_access_tokens WHERE jti = $1
         UNION ALL SELECT 1 FROM revoked_access_tokens
         WHERE session_id IN ($2, 0) AND jti IS NULL AND issued_until >= $3 LIMIT 1",
        &[jti.into(), session_id.into(), issued_at.into()],
    )
}

/// Whether a token was revoked, alone or with others of its session, according to the table.
pub fn covers(
    reader: &Reader<'_>,
    session_id: SessionId,
    jti: &str,
    issued_at: Timestamp,
) -> Result<bool> {
    reader.exists(
        "SELECT 1 FROM revoked_access_tokens WHERE jti = $1
         UNION ALL SELECT 1 FROM revoked_access_tokens
         WHERE session_id IN ($2, 0) AND jti IS NULL AND (issued_until IS NULL OR issued_until >= $3) LIMIT 1",
        &[jti.into(), session_id.into(), issued_at.into()],
    )
}

/// Revokes one token; doing it again changes nothing. If the session has [`MAX_SINGLE`] of them already, one row stands for
/// the oldest and for all tokens that were issued until then. Newer ones keep their own: a token that the client obtained
/// in the same second as the latest is not revoked with it.
pub fn insert_token(
    tx: &Transaction<'_>,
    session_id: SessionId,
    jti: &str,
    issued_at: Timestamp,
    until: Timestamp,
) -> Result<()> {
    if has_token(tx, session_id, jti, issued_at)? {
        return Ok(());
    }
    insert(tx, session_id, Some(jti), issued_at, until)?;
    let rows: Vec<(Option<String>, Timestamp, Timestamp)> = tx.all(
        "SELECT jti, issued_until, until FROM revoked_access_tokens
         WHERE session_id = $1 AND issued_until IS NOT NULL",
        &[session_id.into()],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let single = || rows.iter().filter(|(jti, ..)| jti.is_some());
    let Some(oldest) = single().map(|row| row.1).min() else {
        return Ok(());
    };
    if single().count() <= MAX_SINGLE {
        return Ok(());
    }
    let last_expiry: Option<Option<Timestamp>> = tx.one(
        "SELECT access_until FROM sessions WHERE id = $1",
        &[session_id.into()],
        |row| row.get(0),
    )?;
    let expiries = rows.iter().map(|row| row.2).chain(last_expiry.flatten());
    let last_expiry = expiries.fold(until, Ord::max);
    tx.execute(
        "DELETE FROM revoked_access_tokens WHERE session_id = $1 AND (jti IS NULL OR issued_until <= $2)
         AND issued_until IS NOT NULL",
        &[session_id.into(), oldest.into()],
    )?;
    insert(tx, session_id, None, oldest, last_expiry)
}

/// Revokes the tokens of all sessions that were issued until a time, the last of which expires at `until`.
pub fn insert_all_until(
    tx: &Transaction<'_>,
    issued_until: Timestamp,
    until: Timestamp,
) -> Result<()> {
    insert(tx, ALL_SESSIONS, None, issued_until, until)
}

/// Whether all that was issued then was revoked, whatever it was, as after a restore. For what is valid for less than
/// [`KEEP`].
pub fn covers_all(reader: &Reader<'_>, issued_at: Timestamp) -> Result<bool> {
    reader.exists(
        "SELECT 1 FROM revoked_access_tokens WHERE session_id = 0 AND issued_until >= $1 LIMIT 1",
        &[issued_at.into()],
    )
}

fn insert(
    tx: &Transaction<'_>,
    session_id: SessionId,
    jti: Option<&str>,
    issued_until: Timestamp,
    until: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO revoked_access_tokens (session_id, jti, until, issued_until) VALUES ($1, $2, $3, $4)",
        &[session_id.into(), jti.into(), until.into(), issued_until.into()],
    )
    .map(drop)
}

/// Deletes up to `limit` rows whose tokens expired before `before`; returns how many.
pub fn delete_expired(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(DELETE_EXPIRED, &[before.into(), limit.into()])
}
