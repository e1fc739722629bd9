//! The `api_keys` table.

use super::users;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::scope::Scopes;
use crate::domain::{ApiKey, ApiKeyId, TokenDigest, User, UserId};
use crate::store::{Reader, Row, Transaction};

macro_rules! columns {
    () => {
        "id, user_id, name, last_four, scopes, created_at, last_used_at, expires_at, revoked_at"
    };
}

pub(in crate::store) const DELETE_ENDED: &str = "DELETE FROM api_keys WHERE id IN
     (SELECT id FROM api_keys WHERE revoked_at <= $1 OR expires_at <= $1 LIMIT $2)";

/// What a key is made with.
#[derive(Clone, Debug)]
pub struct NewKey<'a> {
    /// Whose it is; `None`: a service of the operator's own.
    pub user_id: Option<UserId>,
    /// What its owner calls it.
    pub name: &'a str,
    /// Of the key that will be shown.
    pub token_digest: TokenDigest,
    /// Of that key too.
    pub last_four: &'a str,
    /// What it may be used for.
    pub scopes: &'a Scopes,
    /// From this moment on it is void, if there is one.
    pub expires_at: Option<Timestamp>,
}

/// Adds a key; `None` when its user has `most` already that are neither revoked nor expired. Services are not counted.
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

/// The key with its user, whatever their state; a service's has none.
pub fn find_by_digest(
    reader: &Reader<'_>,
    digest: &TokenDigest,
) -> Result<Option<(ApiKey, Option<User>)>> {
    reader.one(
        "SELECT k.id, k.user_id, k.name, k.last_four, k.scopes, k.created_at, k.last_used_at, k.expires_at,
         k.revoked_at, u.id, u.email_address, u.email_confirmed_at, u.disabled_at, u.created_at, u.updated_at
         FROM api_keys k LEFT JOIN users u ON u.id = k.user_id WHERE k.token_digest = $1",
        &[digest.into()],
        |row| {
            let key = read(row)?;
            let user = key.user_id.map(|_| users::read(row, 9)).transpose()?;
            Ok((key, user))
        },
    )
}

/// A user's keys, the newest first, revoked and expired ones too.
pub fn list_for_user(reader: &Reader<'_>, user_id: UserId) -> Result<Vec<ApiKey>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM api_keys WHERE user_id = $1 ORDER BY id DESC"
    );
    reader.all(sql, &[user_id.into()], read)
}

/// Everybody's and every service's, from behind `after`.
pub fn list(reader: &Reader<'_>, after: ApiKeyId, limit: u32) -> Result<Vec<ApiKey>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM api_keys WHERE id > $1 ORDER BY id LIMIT $2"
    );
    reader.all(sql, &[after.into(), limit.into()], read)
}

/// The services', from behind `after`.
pub fn list_of_services(reader: &Reader<'_>, after: ApiKeyId, limit: u32) -> Result<Vec<ApiKey>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM api_keys WHERE user_id IS NULL AND id > $1 ORDER BY id LIMIT $2"
    );
    reader.all(sql, &[after.into(), limit.into()], read)
}

/// Gives a key another name; `None` when it is not theirs.
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

/// Revokes one of a user's keys; `Some(false)` when it was revoked already, `None` when it is not theirs.
pub fn revoke_for_user(
    tx: &Transaction<'_>,
    user_id: UserId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<Option<bool>> {
    let owned = tx.one(
        "SELECT 1 FROM api_keys WHERE user_id = $1 AND id = $2",
        &[user_id.into(), id.into()],
        |_| Ok(()),
    )?;
    if owned.is_some() {
        revoke(tx, id, now)
    } else {
        Ok(None)
    }
}

/// Revokes a key, whosever it is; `Some(false)` when it was revoked already, `None` when there is none.
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

/// Revokes the key that was presented; `None` when there is none or it was revoked already.
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

/// Revokes every key of a user; gives how many.
pub fn revoke_all_for_user(tx: &Transaction<'_>, user_id: UserId, now: Timestamp) -> Result<usize> {
    tx.execute(
        "UPDATE api_keys SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS NULL",
        &[now.into(), user_id.into()],
    )
}

/// Some keys that were not revoked, whosever they are, from behind `after`.
pub fn list_unrevoked(reader: &Reader<'_>, after: ApiKeyId, limit: u32) -> Result<Vec<ApiKeyId>> {
    reader.all(
        "SELECT id FROM api_keys WHERE id > $1 AND revoked_at IS NULL ORDER BY id LIMIT $2",
        &[after.into(), limit.into()],
        |row| row.get(0),
    )
}

/// Whether a key may still act: it is neither revoked nor expired, and its user, if it has one, not disabled.
pub fn is_live(reader: &Reader<'_>, id: ApiKeyId, now: Timestamp) -> Result<bool> {
    let found = reader.one(
        "SELECT 1 FROM api_keys k LEFT JOIN users u ON u.id = k.user_id WHERE k.id = $1
         AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2) AND u.disabled_at IS NULL",
        &[id.into(), now.into()],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Notes that a key was used, never going back in time.
pub fn touch(tx: &Transaction<'_>, id: ApiKeyId, at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE api_keys SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
        &[at.into(), id.into()],
    )
    .map(drop)
}

/// Deletes some that were revoked or had expired by `before`; gives how many.
pub fn delete_ended(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(DELETE_ENDED, &[before.into(), limit.into()])
}

/// Deletes what has ended of a user's keys beyond the `most` newest of them; gives how many.
pub fn delete_ended_beyond(
    tx: &Transaction<'_>,
    user_id: UserId,
    most: u32,
    now: Timestamp,
) -> Result<usize> {
    tx.execute(
        "DELETE FROM api_keys WHERE id IN
         (SELECT id FROM api_keys WHERE user_id = $1 AND (revoked_at IS NOT NULL OR expires_at <= $2)
          ORDER BY id DESC LIMIT -1 OFFSET $3)",
        &[user_id.into(), now.into(), most.into()],
    )
}

fn read(row: &Row<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        id: row.get(0)?,
        user_id: row.get(1)?,
        name: row.get(2)?,
        last_four: row.get(3)?,
        scopes: row.get(4)?,
        created_at: row.get(5)?,
        last_used_at: row.get(6)?,
        expires_at: row.get(7)?,
        revoked_at: row.get(8)?,
    })
}
