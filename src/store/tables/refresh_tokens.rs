//! The `refresh_tokens` table: of each family the valid token, and spent ones until the family's next refresh or the next
//! sweep after [`GRACE`]. Older ones need no row: a token without a row whose family has one was spent.

use std::time::Duration;

use crate::crypto::token::ReplaySeed;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::scope::Scopes;
use crate::domain::{SessionId, TokenDigest};
use crate::store::{Reader, Row, Transaction};

/// How long a spent token returns its successor again.
pub const GRACE: Duration = Duration::from_secs(10);

/// A refresh token to add.
#[derive(Clone, Debug)]
pub struct NewRefresh<'a> {
    /// The digest of its family.
    pub family_digest: TokenDigest,
    /// The digest of the token.
    pub token_digest: TokenDigest,
    /// The audience of the access tokens issued for it; `None`: this server.
    pub audience: Option<&'a str>,
    /// The scopes of the access tokens issued for it.
    pub scopes: &'a Scopes,
    /// When its family expires.
    pub expires_at: Timestamp,
}

/// A refresh token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The id.
    pub id: i64,
    /// Its session.
    pub session_id: SessionId,
    /// The audience of the access tokens issued for it; `None`: this server.
    pub audience: Option<String>,
    /// The scopes of the access tokens issued for it.
    pub scopes: Scopes,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Its successor, if it was spent.
    pub spent: Option<Spent>,
}

/// The successor of a spent token: enough to return the same one again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// When the token was spent.
    pub at: Timestamp,
    /// Derives the successor.
    pub seed: Option<ReplaySeed>,
    /// The digest of the successor.
    pub successor: TokenDigest,
    /// When the access token issued with the successor expires.
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
        "INSERT INTO refresh_tokens (session_id, family_digest, token_digest, scopes, created_at, expires_at, audience)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            session_id.into(),
            (&new.family_digest).into(),
            (&new.token_digest).into(),
            new.scopes.into(),
            now.into(),
            new.expires_at.into(),
            new.audience.into(),
        ],
    )
    .map(drop)
}

/// A token that is valid, expired or recently spent.
pub fn find(reader: &Reader<'_>, digest: &TokenDigest) -> Result<Option<RefreshToken>> {
    reader.one(
        "SELECT id, session_id, scopes, expires_at, spent_at, seed, successor_digest, access_until, audience
         FROM refresh_tokens WHERE token_digest = $1",
        &[digest.into()],
        read,
    )
}

/// The session of a family; `None` if the family has no row.
pub fn session_of_family(reader: &Reader<'_>, family: &TokenDigest) -> Result<Option<SessionId>> {
    reader.one(
        "SELECT session_id FROM refresh_tokens WHERE family_digest = $1 LIMIT 1",
        &[family.into()],
        |row| row.get(0),
    )
}

/// Spends a token for its successor; `false` if it was spent before. Of concurrent calls one wins.
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

/// Deletes the tokens of a family that were spent by `before`, with the seeds of their successors; returns how many.
pub fn delete_spent(
    tx: &Transaction<'_>,
    family: &TokenDigest,
    before: Timestamp,
) -> Result<usize> {
    tx.execute(
        "DELETE FROM refresh_tokens WHERE family_digest = $1 AND spent_at <= $2",
        &[family.into(), before.into()],
    )
}

/// Deletes up to `limit` tokens of any family that were spent by `before`; returns how many.
pub fn delete_spent_everywhere(
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

/// Deletes up to `limit` tokens of any session; returns how many.
pub fn delete_some(tx: &Transaction<'_>, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM refresh_tokens WHERE id IN (SELECT id FROM refresh_tokens LIMIT $1)",
        &[limit.into()],
    )
}

/// Deletes all families of a session; returns the number of tokens.
pub fn delete_for_session(tx: &Transaction<'_>, session_id: SessionId) -> Result<usize> {
    tx.execute(
        "DELETE FROM refresh_tokens WHERE session_id = $1",
        &[session_id.into()],
    )
}

/// Deletes the families of a session except the `most` refreshed last, with their spent tokens: a spent token that
/// remained would look stolen. Returns the number of tokens.
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
        audience: row.get(8)?,
        scopes: row.get(2)?,
        expires_at: row.get(3)?,
        spent,
    })
}
