//! The `identities` table: who a user is at other providers. The key is the issuer and the subject there, never an address.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{IdentityId, LinkedIdentity, UserId};
use crate::store::{Reader, Row, Transaction};

/// An identity to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewIdentity<'a> {
    /// The name of the provider in the settings.
    pub provider: &'a str,
    /// The issuer.
    pub issuer: &'a str,
    /// The user there.
    pub subject: &'a str,
    /// The address that the provider states.
    pub email: Option<&'a str>,
}

macro_rules! columns {
    () => {
        "id, provider, email, created_at, last_used_at"
    };
}

/// Adds an identity of a user; `None` if the user has `most`, or if there is one of this issuer and subject already,
/// of any user.
pub fn insert(
    tx: &Transaction<'_>,
    user_id: UserId,
    new: &NewIdentity<'_>,
    most: u32,
    now: Timestamp,
) -> Result<Option<LinkedIdentity>> {
    let sql = concat!(
        "INSERT INTO identities (user_id, provider, issuer, subject, email, created_at, last_used_at)
         SELECT $1, $2, $3, $4, $5, $6, $6 WHERE (SELECT count(*) FROM identities WHERE user_id = $1) < $7
         ON CONFLICT (issuer, subject) DO NOTHING RETURNING ",
        columns!()
    );
    tx.one(
        sql,
        &[
            user_id.into(),
            new.provider.into(),
            new.issuer.into(),
            new.subject.into(),
            new.email.into(),
            now.into(),
            most.into(),
        ],
        read,
    )
}

/// The user of an identity.
pub fn find_user(reader: &Reader<'_>, issuer: &str, subject: &str) -> Result<Option<UserId>> {
    reader.one(
        "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2",
        &[issuer.into(), subject.into()],
        |row| row.next(),
    )
}

/// Whether a user has an identity of this issuer.
pub fn has_one_of(reader: &Reader<'_>, user_id: UserId, issuer: &str) -> Result<bool> {
    let found = reader.one(
        "SELECT 1 FROM identities WHERE user_id = $1 AND issuer = $2 LIMIT 1",
        &[user_id.into(), issuer.into()],
        |row| row.next::<i64>(),
    );
    Ok(found?.is_some())
}

/// Notes that an identity was used, and the address that the provider states now.
pub fn note_use(
    tx: &Transaction<'_>,
    issuer: &str,
    subject: &str,
    email: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE identities SET last_used_at = $1, email = $2 WHERE issuer = $3 AND subject = $4",
        &[now.into(), email.into(), issuer.into(), subject.into()],
    )
    .map(drop)
}

/// The identities of a user, the oldest first.
pub fn list_for_user(reader: &Reader<'_>, user_id: UserId) -> Result<Vec<LinkedIdentity>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM identities WHERE user_id = $1 ORDER BY id"
    );
    reader.all(sql, &[user_id.into()], read)
}

/// Deletes an identity of a user; `false` if the user has none of this id.
pub fn delete(tx: &Transaction<'_>, user_id: UserId, id: IdentityId) -> Result<bool> {
    let deleted = tx.execute(
        "DELETE FROM identities WHERE user_id = $1 AND id = $2",
        &[user_id.into(), id.into()],
    )?;
    Ok(deleted == 1)
}

/// Deletes the identities of a user; returns how many.
pub fn delete_all_for_user(tx: &Transaction<'_>, user_id: UserId) -> Result<usize> {
    tx.execute(
        "DELETE FROM identities WHERE user_id = $1",
        &[user_id.into()],
    )
}

/// Deletes the identities of a user that were linked before a time; returns how many.
pub fn delete_older(tx: &Transaction<'_>, user_id: UserId, before: Timestamp) -> Result<usize> {
    tx.execute(
        "DELETE FROM identities WHERE user_id = $1 AND created_at < $2",
        &[user_id.into(), before.into()],
    )
}

fn read(row: &Row<'_>) -> Result<LinkedIdentity> {
    Ok(LinkedIdentity {
        id: row.next()?,
        provider: row.next()?,
        email: row.next()?,
        created_at: row.next()?,
        last_used_at: row.next()?,
    })
}
