//! The `sessions` table.

use super::users::{self, user_columns};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{AuthMethods, Session, SessionId, TokenDigest, User, UserId};
use crate::store::engine::Key;
use crate::store::{LookUp, Reader, Row, Transaction};

/// The columns that [`read`] takes, in its order.
macro_rules! columns {
    () => {
        "sessions.id, sessions.user_id, sessions.ip_address, sessions.user_agent, sessions.created_at,
         sessions.last_active_at, sessions.expires_at, sessions.reauthenticated_at, sessions.auth_methods,
         sessions.authenticated_at, sessions.remembered, sessions.nonce"
    };
}

macro_rules! select_with_user {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            ", ",
            user_columns!(),
            " FROM sessions JOIN users ON users.id = sessions.user_id WHERE "
        )
    };
}

/// A session to add.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The digest of its token.
    pub token_digest: TokenDigest,
    /// The client's address.
    pub ip_address: String,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Whether the sign-in sent `remember`.
    pub remembered: bool,
    /// A random value, part of the `sid` of its access tokens.
    pub nonce: String,
}

/// Adds a session of a user who authenticated by these methods at that time.
pub fn insert(
    tx: &Transaction<'_>,
    user_id: UserId,
    new: &NewSession,
    (methods, authenticated_at): (&AuthMethods, Timestamp),
    now: Timestamp,
) -> Result<Session> {
    let sql = concat!(
        "INSERT INTO sessions (user_id, token_digest, ip_address, user_agent, auth_methods, authenticated_at, created_at,
         last_active_at, expires_at, remembered, nonce)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10) RETURNING ",
        columns!()
    );
    let methods = methods.to_stored();
    let values = [
        user_id.into(),
        (&new.token_digest).into(),
        new.ip_address.as_str().into(),
        new.user_agent.as_deref().into(),
        methods.as_str().into(),
        authenticated_at.into(),
        now.into(),
        new.expires_at.into(),
        i64::from(new.remembered).into(),
        new.nonce.as_str().into(),
    ];
    tx.one(sql, &values, read)?
        .ok_or_else(|| Error::internal("an insertion returned no row"))
}

/// The session with this token and its user, valid or not.
pub fn by_digest(digest: TokenDigest) -> LookUp<(Session, User)> {
    LookUp {
        sql: concat!(select_with_user!(), "sessions.token_digest = $1"),
        key: Key::Digest(digest),
        read: read_with_user,
    }
}

/// The session with this id and its user, valid or not.
pub fn by_id(id: SessionId) -> LookUp<(Session, User)> {
    LookUp {
        sql: concat!(select_with_user!(), "sessions.id = $1"),
        key: Key::Session(id),
        read: read_with_user,
    }
}

/// Whether the session exists with this nonce and belongs to this user. After the restore of a backup, an id may be
/// another session's or another user's.
pub fn belongs_to(
    reader: &Reader<'_>,
    id: SessionId,
    nonce: &str,
    user_id: UserId,
) -> Result<bool> {
    reader.exists(
        "SELECT 1 FROM sessions WHERE id = $1 AND nonce = $2 AND user_id = $3",
        &[id.into(), nonce.into(), user_id.into()],
    )
}

/// The sessions of a user, the most recently active first.
pub fn list_for_user(reader: &Reader<'_>, user_id: UserId) -> Result<Vec<Session>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM sessions WHERE sessions.user_id = $1 ORDER BY sessions.last_active_at DESC, sessions.id DESC"
    );
    reader.all(sql, &[user_id.into()], read)
}

/// The number of sessions of a user, with expired ones.
pub fn count_for_user(reader: &Reader<'_>, user_id: UserId) -> Result<u32> {
    let count = reader.one(
        "SELECT count(*) FROM sessions WHERE user_id = $1",
        &[user_id.into()],
        |row| row.next::<i64>(),
    )?;
    Ok(count.map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX)))
}

/// Whether the session exists and this is its token.
pub fn is_open_by(reader: &Reader<'_>, id: SessionId, digest: &TokenDigest) -> Result<bool> {
    reader.exists(
        "SELECT 1 FROM sessions WHERE id = $1 AND token_digest = $2",
        &[id.into(), digest.into()],
    )
}

/// Replaces the token `old`; `false` if it is another by now. Of two concurrent calls one wins.
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

/// Records a reauthentication, or (`None`) that earlier ones no longer count; `false` if the session does not exist.
pub fn set_reauthenticated(
    tx: &Transaction<'_>,
    id: SessionId,
    at: Option<Timestamp>,
) -> Result<bool> {
    Ok(tx.execute(
        "UPDATE sessions SET reauthenticated_at = $1, authenticated_at = coalesce($1, authenticated_at) WHERE id = $2",
        &[at.into(), id.into()],
    )? == 1)
}

/// Records how the user of a session authenticated by now; `false` if the session does not exist.
pub fn set_auth_methods(
    tx: &Transaction<'_>,
    id: SessionId,
    methods: &AuthMethods,
) -> Result<bool> {
    let methods = methods.to_stored();
    Ok(tx.execute(
        "UPDATE sessions SET auth_methods = $1 WHERE id = $2",
        &[methods.as_str().into(), id.into()],
    )? == 1)
}

/// When the user last reauthenticated on a session, if ever; `None` if the session does not exist.
pub fn reauthenticated_at(reader: &Reader<'_>, id: SessionId) -> Result<Option<Option<Timestamp>>> {
    reader.one(
        "SELECT reauthenticated_at FROM sessions WHERE id = $1",
        &[id.into()],
        |row| row.next(),
    )
}

/// Deletes a session; `false` if it does not exist.
pub fn delete(tx: &Transaction<'_>, id: SessionId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM sessions WHERE id = $1", &[id.into()])? == 1)
}

/// Deletes a session of a user; `false` if they have none with this id.
pub fn delete_for_user(tx: &Transaction<'_>, user_id: UserId, id: SessionId) -> Result<bool> {
    let ended = tx.execute(
        "DELETE FROM sessions WHERE id = $1 AND user_id = $2",
        &[id.into(), user_id.into()],
    )?;
    Ok(ended == 1)
}

/// Deletes the session with this token; `false` if there is none.
pub fn delete_by_digest(tx: &Transaction<'_>, digest: &TokenDigest) -> Result<bool> {
    Ok(tx.execute(
        "DELETE FROM sessions WHERE token_digest = $1",
        &[digest.into()],
    )? == 1)
}

/// Deletes all sessions of a user except one; returns how many.
pub fn delete_all_but(tx: &Transaction<'_>, user_id: UserId, kept: SessionId) -> Result<usize> {
    tx.execute(
        "DELETE FROM sessions WHERE user_id = $1 AND id <> $2",
        &[user_id.into(), kept.into()],
    )
}

/// Deletes all sessions of a user; returns how many.
pub fn delete_all_for_user(tx: &Transaction<'_>, user_id: UserId) -> Result<usize> {
    tx.execute("DELETE FROM sessions WHERE user_id = $1", &[user_id.into()])
}

/// Deletes up to `limit` sessions of any user; returns how many.
pub fn delete_some(tx: &Transaction<'_>, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY id LIMIT $1)",
        &[limit.into()],
    )
}

/// Deletes the sessions of a user beyond `most`: expired ones first, then the least recently active, but never `newest`,
/// even if the clock was set back. Returns how many.
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

/// Records the last use of a session, unless a later one is recorded.
pub fn touch(tx: &Transaction<'_>, id: SessionId, at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE sessions SET last_active_at = $1 WHERE id = $2 AND last_active_at < $1",
        &[at.into(), id.into()],
    )
    .map(drop)
}

/// Records when the last access token of a session expires and that the session was used, unless later times are
/// recorded; `false` if the session does not exist.
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

/// Of the first `limit` sessions after `after`, in the order of their ids: how many neither expired by `moment` nor are
/// unused since `idle_since`, and the last id; `None` without any. A count of the whole table at once would take seconds.
pub fn count_live(
    reader: &Reader<'_>,
    moment: Timestamp,
    idle_since: Timestamp,
    after: SessionId,
    limit: u32,
) -> Result<Option<(u64, SessionId)>> {
    let counted = reader.one(
        "SELECT count(CASE WHEN expires_at > $1 AND last_active_at > $2 THEN 1 END), max(id) FROM
             (SELECT id, expires_at, last_active_at FROM sessions WHERE id > $3 ORDER BY id LIMIT $4) AS step",
        &[moment.into(), idle_since.into(), after.into(), limit.into()],
        |row| Ok((row.next::<i64>()?, row.next::<Option<SessionId>>()?)),
    )?;
    Ok(counted.and_then(|(count, last)| Some((u64::try_from(count).ok()?, last?))))
}

/// Up to `limit` sessions that expired by `moment` or are unused since `idle_since`, in the order of their ids, after
/// `after`. It reads the table: an index on the expiry would cost every sign-in and sign-out a page.
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
        |row| row.next(),
    )
}

fn read(row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        id: row.next()?,
        user_id: row.next()?,
        ip_address: row.next()?,
        user_agent: row.next()?,
        created_at: row.next()?,
        last_active_at: row.next()?,
        expires_at: row.next()?,
        reauthenticated_at: row.next()?,
        auth_methods: row.next()?,
        authenticated_at: row.next()?,
        remembered: row.next::<i64>()? != 0,
        nonce: row.next()?,
    })
}

fn read_with_user(row: &Row<'_>) -> Result<(Session, User)> {
    Ok((read(row)?, users::read(row)?))
}
