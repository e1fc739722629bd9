//! The `identity_link_requests` table: identities that a mailed link links to a user. The link is bound to the row,
//! and is not stored.

use crate::domain::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{Reader, Row, Transaction};

/// An identity to be linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityLinkRequest {
    /// Whose it is to be.
    pub user_id: UserId,
    /// The name of the provider in the settings.
    pub provider: String,
    /// The browser or the app that may use the link.
    pub bound_to: String,
    /// The identity, as JSON.
    pub identity: String,
    /// Whether the exchange sent `remember`.
    pub remembered: bool,
    /// The link is invalid from then on.
    pub expires_at: Timestamp,
}

macro_rules! columns {
    () => {
        "id, user_id, provider, bound_to, identity, remembered, expires_at"
    };
}

/// Adds a request; returns its id.
pub fn insert(tx: &Transaction<'_>, new: &IdentityLinkRequest) -> Result<i64> {
    let id = tx.one(
        "INSERT INTO identity_link_requests (user_id, provider, bound_to, identity, remembered, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        &[
            new.user_id.into(),
            (&new.provider).into(),
            (&new.bound_to).into(),
            (&new.identity).into(),
            i64::from(new.remembered).into(),
            new.expires_at.into(),
        ],
        |row| row.next(),
    )?;
    Ok(id.unwrap_or_default())
}

/// The request with this id, unless it is expired.
pub fn find(reader: &Reader<'_>, id: i64, now: Timestamp) -> Result<Option<IdentityLinkRequest>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM identity_link_requests WHERE id = $1 AND expires_at > $2"
    );
    let found = reader.one(sql, &[id.into(), now.into()], read)?;
    Ok(found.map(|(_, request)| request))
}

/// The requests of a user that are not expired, with their ids.
pub fn list_for_user(
    reader: &Reader<'_>,
    user_id: UserId,
    now: Timestamp,
) -> Result<Vec<(i64, IdentityLinkRequest)>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM identity_link_requests WHERE user_id = $1 AND expires_at > $2 ORDER BY id"
    );
    reader.all(sql, &[user_id.into(), now.into()], read)
}

/// Uses up a request; `false` if it was used, or is expired. Of concurrent calls one wins.
pub fn take(tx: &Transaction<'_>, id: i64, now: Timestamp) -> Result<bool> {
    let taken = tx.execute(
        "DELETE FROM identity_link_requests WHERE id = $1 AND expires_at > $2",
        &[id.into(), now.into()],
    )?;
    Ok(taken == 1)
}

/// Deletes the requests of a user; returns how many.
pub fn delete_all_for_user(tx: &Transaction<'_>, user_id: UserId) -> Result<usize> {
    tx.execute(
        "DELETE FROM identity_link_requests WHERE user_id = $1",
        &[user_id.into()],
    )
}

/// Deletes up to `limit` requests of any user; returns how many.
pub fn delete_some(tx: &Transaction<'_>, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM identity_link_requests WHERE id IN
         (SELECT id FROM identity_link_requests LIMIT $1)",
        &[limit.into()],
    )
}

/// Deletes up to `limit` requests that are expired; returns how many.
pub fn delete_expired(tx: &Transaction<'_>, now: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM identity_link_requests WHERE id IN
         (SELECT id FROM identity_link_requests WHERE expires_at <= $1 LIMIT $2)",
        &[now.into(), limit.into()],
    )
}

fn read(row: &Row<'_>) -> Result<(i64, IdentityLinkRequest)> {
    Ok((
        row.next()?,
        IdentityLinkRequest {
            user_id: row.next()?,
            provider: row.next()?,
            bound_to: row.next()?,
            identity: row.next()?,
            remembered: row.next::<i64>()? != 0,
            expires_at: row.next()?,
        },
    ))
}
