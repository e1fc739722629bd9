//! The `refresh_tokens` table: of each family the token that is good, and those that were spent lately: in the last
//! seconds, and until the family's next refresh or the next sweep. Older ones need no row: a token that is not here and
//! whose family is, was spent.

use std::time::Duration;

use crate::crypto::token::ReplaySeed;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::scope::Scopes;
use crate::domain::{SessionId, TokenDigest};
use crate::store::{Reader, Row, Transaction};

/// How long a spent token gives its successor again.
pub const GRACE: Duration = Duration::from_secs(10);

/// What a refresh token is made with.
#[derive(Clone, Debug)]
pub struct NewRefresh<'a> {
    /// Of its family.
    pub family_digest: TokenDigest,
    /// Of the token that will be shown.
    pub token_digest: TokenDigest,
    /// Of the access tokens that it gives.
    pub scopes: &'a Scopes,
    /// From this moment on it is void: the family's end.
    pub expires_at: Timestamp,
}

/// A refresh token, without the secret that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its id.
    pub id: i64,
    /// The session that it keeps.
    pub session_id: SessionId,
    /// Of the access tokens that it gives.
    pub scopes: Scopes,
    /// From this moment on it is void.
    pub expires_at: Timestamp,
    /// What it was spent for, if it was.
    pub spent: Option<Spent>,
}

/// What a token was spent for: enough to give the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// When.
    pub at: Timestamp,
    /// What its successor came from.
    pub seed: Option<ReplaySeed>,
    /// The successor's digest.
    pub successor: TokenDigest,
    /// When the access token that went out with the successor expires.
    pub access_until: Timestamp,
}

/// Adds a token to a session.
pub fn insert(
    tx: &Transaction<'_>,
    session_id: SessionId,
    new: &NewRefresh<'_>,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO refresh_tokens (session_id, family_digest, token_digest, scopes, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            session_id.into(),
            (&new.family_digest).into(),
            (&new.token_digest).into(),
            new.scopes.into(),
            now.into(),
            new.expires_at.into(),
        ],
    )
    .map(drop)
}

/// A token, good or spent lately, whether its time is over or not.
pub fn find(reader: &Reader<'_>, digest: &TokenDigest) -> Result<Option<RefreshToken>> {
    reader.one(
        "SELECT id, session_id, scopes, expires_at, spent_at, seed, successor_digest, access_until
         FROM refresh_tokens WHERE token_digest = $1",
        &[digest.into()],
        read,
    )
}

/// The session of a family, for as long as it lives.
pub fn session_of_family(reader: &Reader<'_>, family: &TokenDigest) -> Result<Option<SessionId>> {
    reader.one(
        "SELECT session_id FROM refresh_tokens WHERE family_digest = $1 LIMIT 1",
        &[family.into()],
        |row| row.get(0),
    )
}

/// Spends a token for its successor; `false` when it was spent already. Of many at once one wins.
pub fn spend(
    tx: &Transaction<'_>,
    token: &TokenDigest,
    seed: &ReplaySeed,
    successor: &TokenDigest,
    access_until: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let spent = tx.execute(
        "UPDATE refresh_tokens SET spent_at = $1, seed = $2, successor_digest = $3, access_until = $4
         WHERE token_digest = $5 AND spent_at IS NULL",
        &[
            now.into(),
            seed.into(),
            successor.into(),
            access_until.into(),
            token.into(),
        ],
    )?;
    Ok(spent == 1)
}

/// Forgets those of a family that were spent by `before`, and with them what made their successors; gives how many.
pub fn forget_spent(
    tx: &Transaction<'_>,
    family: &TokenDigest,
    before: Timestamp,
) -> Result<usize> {
    tx.execute(
        "DELETE FROM refresh_tokens WHERE family_digest = $1 AND spent_at <= $2",
        &[family.into(), before.into()],
    )
}

/// Forgets some that were spent by `before`, of whatever family; gives how many.
pub fn forget_spent_everywhere(
    tx: &Transaction<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<usize> {
    tx.execute(
        "DELETE FROM refresh_tokens WHERE id IN
         (SELECT id FROM refresh_tokens WHERE spent_at <= $1 LIMIT $2)",
        &[before.into(), limit.into()],
    )
}

/// Ends every family of a session; gives how many tokens went.
pub fn delete_for_session(tx: &Transaction<'_>, session_id: SessionId) -> Result<usize> {
    tx.execute(
        "DELETE FROM refresh_tokens WHERE session_id = $1",
        &[session_id.into()],
    )
}

/// Ends the families of a session beyond the `most` that were refreshed last, spent tokens and all: the successor of
/// one that was left would look stolen. Gives how many tokens went.
pub fn delete_beyond(tx: &Transaction<'_>, session_id: SessionId, most: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM refresh_tokens WHERE session_id = $1 AND family_digest NOT IN
         (SELECT family_digest FROM refresh_tokens WHERE session_id = $1 AND spent_at IS NULL
          ORDER BY id DESC LIMIT $2)",
        &[session_id.into(), most.into()],
    )
}

fn read(row: &Row<'_>) -> Result<RefreshToken> {
    let spent = match row.get::<Option<Timestamp>>(4)? {
        Some(at) => Some(Spent {
            at,
            seed: row.get(5)?,
            successor: row.get(6)?,
            access_until: row.get(7)?,
        }),
        None => None,
    };
    Ok(RefreshToken {
        id: row.get(0)?,
        session_id: row.get(1)?,
        scopes: row.get(2)?,
        expires_at: row.get(3)?,
        spent,
    })
}
