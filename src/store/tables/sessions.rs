//! The `sessions` table.

use super::users;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{Session, SessionId, TokenDigest, User, UserId};
use crate::store::{Reader, Row, Transaction};

macro_rules! columns {
    () => {
        "s.id, s.user_id, s.ip_address, s.user_agent, s.created_at, s.last_active_at, s.expires_at,
         s.sudo_at"
    };
}

/// What a session is started with.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Of the token that will be shown.
    pub token_digest: TokenDigest,
    /// The client's address.
    pub ip_address: String,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// From this moment on it is void.
    pub expires_at: Timestamp,
}

/// Adds a session.
pub fn insert(
    tx: &Transaction<'_>,
    user_id: UserId,
    new: &NewSession,
    now: Timestamp,
) -> Result<Session> {
    let id = tx.one(
        "INSERT INTO sessions (user_id, token_digest, ip_address, user_agent, created_at, last_active_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $5, $6) RETURNING id",
        &[
            user_id.into(),
            (&new.token_digest).into(),
            new.ip_address.as_str().into(),
            new.user_agent.as_deref().into(),
            now.into(),
            new.expires_at.into(),
        ],
        |row| row.get(0),
    )?;
    Ok(Session {
        id: id
            .ok_or_else(|| crate::domain::error::Error::internal("an insertion returned no row"))?,
        user_id,
        ip_address: new.ip_address.clone(),
        user_agent: new.user_agent.clone(),
        created_at: now,
        last_active_at: now,
        expires_at: new.expires_at,
        sudo_at: None,
    })
}

/// The session that a token opens, with its user, whatever their state.
pub fn find_by_digest(
    reader: &Reader<'_>,
    digest: &TokenDigest,
) -> Result<Option<(Session, User)>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        ", u.id, u.email_address, u.email_confirmed_at, u.disabled_at, u.created_at, u.updated_at
         FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_digest = $1"
    );
    reader.one(sql, &[digest.into()], |row| {
        Ok((read(row)?, users::read(row, 8)?))
    })
}

/// A session with its user, whatever their state.
pub fn find_with_user(reader: &Reader<'_>, id: SessionId) -> Result<Option<(Session, User)>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        ", u.id, u.email_address, u.email_confirmed_at, u.disabled_at, u.created_at, u.updated_at
         FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1"
    );
    reader.one(sql, &[id.into()], |row| {
        Ok((read(row)?, users::read(row, 8)?))
    })
}

/// Whether the session has not ended and is this user's. Ids come again once a backup was restored.
pub fn belongs_to(reader: &Reader<'_>, id: SessionId, user_id: UserId) -> Result<bool> {
    let found = reader.one(
        "SELECT 1 FROM sessions WHERE id = $1 AND user_id = $2",
        &[id.into(), user_id.into()],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// A user's sessions, the newest activity first.
pub fn list_for_user(reader: &Reader<'_>, user_id: UserId) -> Result<Vec<Session>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM sessions s WHERE s.user_id = $1 ORDER BY s.last_active_at DESC, s.id DESC"
    );
    reader.all(sql, &[user_id.into()], read)
}

/// How many sessions a user has, expired ones included.
pub fn count_for_user(reader: &Reader<'_>, user_id: UserId) -> Result<u32> {
    let count = reader.one(
        "SELECT count(*) FROM sessions WHERE user_id = $1",
        &[user_id.into()],
        |row| row.get::<i64>(0),
    )?;
    Ok(count.map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX)))
}

/// Whether the session still exists and this is its token.
pub fn is_open_by(reader: &Reader<'_>, id: SessionId, digest: &TokenDigest) -> Result<bool> {
    let found = reader.one(
        "SELECT 1 FROM sessions WHERE id = $1 AND token_digest = $2",
        &[id.into(), digest.into()],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Puts a new token in the place of `old`; `false` when that one is no longer it. Of two that race one wins.
pub fn rotate(
    tx: &Transaction<'_>,
    id: SessionId,
    old: &TokenDigest,
    new: &TokenDigest,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE sessions SET token_digest = $1 WHERE id = $2 AND token_digest = $3",
        &[new.into(), id.into(), old.into()],
    )?;
    Ok(changed == 1)
}

/// Notes when the password was given on a session, or (`None`) that it no longer counts; `false` when it had ended.
pub fn set_sudo(tx: &Transaction<'_>, id: SessionId, at: Option<Timestamp>) -> Result<bool> {
    Ok(tx.execute(
        "UPDATE sessions SET sudo_at = $1 WHERE id = $2",
        &[at.into(), id.into()],
    )? == 1)
}

/// When the password was last given on a session, if it was; `None` when the session has ended.
pub fn sudo_at(reader: &Reader<'_>, id: SessionId) -> Result<Option<Option<Timestamp>>> {
    reader.one(
        "SELECT sudo_at FROM sessions WHERE id = $1",
        &[id.into()],
        |row| row.get(0),
    )
}

/// Ends a session; `false` when it had ended already.
pub fn delete(tx: &Transaction<'_>, id: SessionId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM sessions WHERE id = $1", &[id.into()])? == 1)
}

/// Ends one of a user's sessions; `false` when it is not theirs or had ended already.
pub fn delete_for_user(tx: &Transaction<'_>, user_id: UserId, id: SessionId) -> Result<bool> {
    let ended = tx.execute(
        "DELETE FROM sessions WHERE id = $1 AND user_id = $2",
        &[id.into(), user_id.into()],
    )?;
    Ok(ended == 1)
}

/// Ends the session that a token opens; `false` when there is none.
pub fn delete_by_digest(tx: &Transaction<'_>, digest: &TokenDigest) -> Result<bool> {
    Ok(tx.execute(
        "DELETE FROM sessions WHERE token_digest = $1",
        &[digest.into()],
    )? == 1)
}

/// Ends every session of a user but one; gives how many they were.
pub fn delete_all_but(tx: &Transaction<'_>, user_id: UserId, kept: SessionId) -> Result<usize> {
    tx.execute(
        "DELETE FROM sessions WHERE user_id = $1 AND id <> $2",
        &[user_id.into(), kept.into()],
    )
}

/// Ends every session of a user; gives how many they were.
pub fn delete_all_for_user(tx: &Transaction<'_>, user_id: UserId) -> Result<usize> {
    tx.execute("DELETE FROM sessions WHERE user_id = $1", &[user_id.into()])
}

/// Ends some sessions, whosever they are; gives how many they were.
pub fn delete_some(tx: &Transaction<'_>, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY id LIMIT $1)",
        &[limit.into()],
    )
}

/// Ends sessions of a user beyond the `most` that may live: first those that have expired, then the least recently
/// active, but never `newest`, even when the clock was set back.
pub fn delete_beyond(
    tx: &Transaction<'_>,
    user_id: UserId,
    newest: SessionId,
    most: u32,
    now: Timestamp,
) -> Result<usize> {
    tx.execute(
        "DELETE FROM sessions WHERE user_id = $1 AND id <> $2 AND id NOT IN
         (SELECT id FROM sessions WHERE user_id = $1 AND id <> $2
          ORDER BY CASE WHEN expires_at > $3 THEN 0 ELSE 1 END, last_active_at DESC, id DESC LIMIT $4)",
        &[
            user_id.into(),
            newest.into(),
            now.into(),
            most.saturating_sub(1).into(),
        ],
    )
}

/// Notes that a session was used, never going back in time.
pub fn touch(tx: &Transaction<'_>, id: SessionId, at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE sessions SET last_active_at = $1 WHERE id = $2 AND last_active_at < $1",
        &[at.into(), id.into()],
    )
    .map(drop)
}

/// Notes that an access token of a session may live until then, and that the session is used, neither ever going back
/// in time; `false` when it has ended.
pub fn note_access(
    tx: &Transaction<'_>,
    id: SessionId,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let noted = tx.execute(
        "UPDATE sessions SET access_until = CASE WHEN access_until > $1 THEN access_until ELSE $1 END,
         last_active_at = CASE WHEN last_active_at > $2 THEN last_active_at ELSE $2 END WHERE id = $3",
        &[until.into(), now.into(), id.into()],
    )?;
    Ok(noted == 1)
}

/// Some sessions that were void at `moment` or unused since `idle_since`, from behind `after` in the order of their
/// ids. It reads the table, since an index on the expiry would cost every sign-in and sign-out a page.
pub fn list_expired(
    reader: &Reader<'_>,
    moment: Timestamp,
    idle_since: Timestamp,
    after: SessionId,
    limit: u32,
) -> Result<Vec<SessionId>> {
    reader.all(
        "SELECT id FROM sessions WHERE id > $1 AND (expires_at <= $2 OR last_active_at <= $3) ORDER BY id LIMIT $4",
        &[after.into(), moment.into(), idle_since.into(), limit.into()],
        |row| row.get(0),
    )
}

fn read(row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        id: row.get(0)?,
        user_id: row.get(1)?,
        ip_address: row.get(2)?,
        user_agent: row.get(3)?,
        created_at: row.get(4)?,
        last_active_at: row.get(5)?,
        expires_at: row.get(6)?,
        sudo_at: row.get(7)?,
    })
}
