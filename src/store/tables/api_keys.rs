//! The `api_keys` table.

use super::users::{self, user_columns};
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::scope::Scopes;
use crate::domain::{ApiKey, ApiKeyId, TokenDigest, User, UserId};
use crate::store::engine::Key;
use crate::store::{LookUp, Reader, Row, Transaction};

/// The columns that [`read`] takes, in its order.
macro_rules! columns {
    () => {
        "api_keys.id, api_keys.user_id, api_keys.name, api_keys.last_four, api_keys.scopes, api_keys.created_at,
         api_keys.last_used_at, api_keys.expires_at, api_keys.revoked_at"
    };
}

pub(in crate::store) const DELETE_INVALID: &str = "DELETE FROM api_keys WHERE id IN
     (SELECT id FROM api_keys WHERE revoked_at <= $1 OR expires_at <= $1 LIMIT $2)";

/// An API key to add.
#[derive(Clone, Debug)]
pub struct NewKey<'a> {
    /// The user for whom it acts; `None`: a service of the operator.
    pub user_id: Option<UserId>,
    /// Its name.
    pub name: &'a str,
    /// The digest of the key.
    pub token_digest: TokenDigest,
    /// The last four characters of the key.
    pub last_four: &'a str,
    /// What it may be used for.
    pub scopes: &'a Scopes,
    /// When it expires; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// Adds a key; `None` if its user has `most` keys that are neither revoked nor expired. Services have no limit.
pub fn insert(
    tx: &Transaction<'_>,
    new: &NewKey<'_>,
    most: u32,
    now: Timestamp,
) -> Result<Option<ApiKey>> {
    let sql = concat!(
        "INSERT INTO api_keys (user_id, name, token_digest, last_four, scopes, created_at, expires_at)
         SELECT $1, $2, $3, $4, $5, $6, $7
         WHERE (SELECT count(*) FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL
                AND (expires_at IS NULL OR expires_at > $6)) < $8 RETURNING ",
        columns!()
    );
    let values = [
        new.user_id.into(),
        new.name.into(),
        (&new.token_digest).into(),
        new.last_four.into(),
        new.scopes.into(),
        now.into(),
        new.expires_at.into(),
        most.into(),
    ];
    tx.one(sql, &values, read)
}

/// A key by its id, valid or not.
pub fn find(reader: &Reader<'_>, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let sql = concat!("SELECT ", columns!(), " FROM api_keys WHERE id = $1");
    reader.one(sql, &[id.into()], read)
}

/// The key with this digest and its user, valid or not; the key of a service has no user.
pub fn by_digest(digest: TokenDigest) -> LookUp<(ApiKey, Option<User>)> {
    LookUp {
        sql: concat!(
            "SELECT ",
            columns!(),
            ", ",
            user_columns!(),
            " FROM api_keys LEFT JOIN users ON users.id = api_keys.user_id WHERE api_keys.token_digest = $1"
        ),
        key: Key::Digest(digest),
        read: |row| {
            let key = read(row)?;
            let user = key.user_id.map(|_| users::read(row)).transpose()?;
            Ok((key, user))
        },
    }
}

/// The keys of a user, the newest first, with revoked and expired ones.
pub fn list_for_user(reader: &Reader<'_>, user_id: UserId) -> Result<Vec<ApiKey>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM api_keys WHERE user_id = $1 ORDER BY id DESC"
    );
    reader.all(sql, &[user_id.into()], read)
}

/// Up to `limit` keys of users and services, after `after`.
pub fn list(reader: &Reader<'_>, after: ApiKeyId, limit: u32) -> Result<Vec<ApiKey>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM api_keys WHERE id > $1 ORDER BY id LIMIT $2"
    );
    reader.all(sql, &[after.into(), limit.into()], read)
}

/// Up to `limit` keys of services, after `after`.
pub fn list_of_services(reader: &Reader<'_>, after: ApiKeyId, limit: u32) -> Result<Vec<ApiKey>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM api_keys WHERE user_id IS NULL AND id > $1 ORDER BY id LIMIT $2"
    );
    reader.all(sql, &[after.into(), limit.into()], read)
}

/// Renames a key of a user; `None` if they have none with this id.
pub fn rename(
    tx: &Transaction<'_>,
    user_id: UserId,
    id: ApiKeyId,
    name: &str,
) -> Result<Option<ApiKey>> {
    let sql = concat!(
        "UPDATE api_keys SET name = $1 WHERE user_id = $2 AND id = $3 RETURNING ",
        columns!()
    );
    tx.one(sql, &[name.into(), user_id.into(), id.into()], read)
}

/// Revokes a key of a user; `Some(false)` if it was revoked before, `None` if they have none with this id.
pub fn revoke_for_user(
    tx: &Transaction<'_>,
    user_id: UserId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<Option<bool>> {
    if tx.exists(
        "SELECT 1 FROM api_keys WHERE user_id = $1 AND id = $2",
        &[user_id.into(), id.into()],
    )? {
        revoke(tx, id, now)
    } else {
        Ok(None)
    }
}

/// Revokes a key of any owner; `Some(false)` if it was revoked before, `None` if it does not exist.
pub fn revoke(tx: &Transaction<'_>, id: ApiKeyId, now: Timestamp) -> Result<Option<bool>> {
    let revoked = tx.execute(
        "UPDATE api_keys SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
        &[now.into(), id.into()],
    )?;
    if revoked == 1 {
        return Ok(Some(true));
    }
    let found = tx.one("SELECT 1 FROM api_keys WHERE id = $1", &[id.into()], |_| {
        Ok(())
    })?;
    Ok(found.map(|()| false))
}

/// Revokes the key with this digest; `None` if there is none or it was revoked before.
pub fn revoke_by_digest(
    tx: &Transaction<'_>,
    digest: &TokenDigest,
    now: Timestamp,
) -> Result<Option<ApiKey>> {
    let sql = concat!(
        "UPDATE api_keys SET revoked_at = $1 WHERE token_digest = $2 AND revoked_at IS NULL RETURNING ",
        columns!()
    );
    tx.one(sql, &[now.into(), digest.into()], read)
}

/// Revokes all keys of a user; returns how many.
pub fn revoke_all_for_user(tx: &Transaction<'_>, user_id: UserId, now: Timestamp) -> Result<usize> {
    tx.execute(
        "UPDATE api_keys SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS NULL",
        &[now.into(), user_id.into()],
    )
}

/// Up to `limit` keys of any owner that are not revoked, after `after`.
pub fn list_unrevoked(reader: &Reader<'_>, after: ApiKeyId, limit: u32) -> Result<Vec<ApiKeyId>> {
    reader.all(
        "SELECT id FROM api_keys WHERE id > $1 AND revoked_at IS NULL ORDER BY id LIMIT $2",
        &[after.into(), limit.into()],
        |row| row.next(),
    )
}

/// Whether a key is valid: neither revoked nor expired, and its user, if it has one, not disabled.
pub fn is_live(reader: &Reader<'_>, id: ApiKeyId, now: Timestamp) -> Result<bool> {
    reader.exists("SELECT 1 FROM api_keys k LEFT JOIN users u ON u.id = k.user_id WHERE k.id = $1
         AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2) AND u.disabled_at IS NULL", &[id.into(), now.into()])
}

/// Records the last use of a key, unless a later one is recorded.
pub fn touch(tx: &Transaction<'_>, id: ApiKeyId, at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE api_keys SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
        &[at.into(), id.into()],
    )
    .map(drop)
}

/// Deletes up to `limit` keys that were revoked or expired by `before`; returns how many.
pub fn delete_invalid(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(DELETE_INVALID, &[before.into(), limit.into()])
}

/// Of the revoked and expired keys of a user, deletes all but the `most` newest; returns how many.
pub fn delete_invalid_beyond(
    tx: &Transaction<'_>,
    user_id: UserId,
    most: u32,
    now: Timestamp,
) -> Result<usize> {
    tx.execute(
        "DELETE FROM api_keys WHERE user_id = $1 AND (revoked_at IS NOT NULL OR expires_at <= $2) AND id NOT IN
         (SELECT id FROM api_keys WHERE user_id = $1 AND (revoked_at IS NOT NULL OR expires_at <= $2)
          ORDER BY id DESC LIMIT $3)",
        &[user_id.into(), now.into(), most.into()],
    )
}

fn read(row: &Row<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        id: row.next()?,
        user_id: row.next()?,
        name: row.next()?,
        last_four: row.next()?,
        scopes: row.next()?,
        created_at: row.next()?,
        last_used_at: row.next()?,
        expires_at: row.next()?,
        revoked_at: row.next()?,
    })
}
