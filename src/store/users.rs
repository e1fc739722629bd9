//! The `users` table.

use super::{Reader, Row, Transaction};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::{EmailAddress, PasswordDigest, User, UserId};

macro_rules! columns {
    () => {
        "id, email_address, email_confirmed_at, disabled_at, created_at, updated_at"
    };
}

/// A user and what their password is checked against.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user.
    pub user: User,
    /// The bcrypt digest.
    pub password_digest: PasswordDigest,
}

/// Adds a user; `None` when the address is taken.
pub fn insert(
    tx: &Transaction<'_>,
    email_address: &EmailAddress,
    digest: &PasswordDigest,
    now: Timestamp,
) -> Result<Option<User>> {
    let sql = concat!(
        "INSERT INTO users (email_address, password_digest, created_at, updated_at) VALUES ($1, $2, $3, $3)
         ON CONFLICT (email_address) DO NOTHING RETURNING ",
        columns!()
    );
    tx.one(sql, &[email_address.into(), digest.into(), now.into()], |row| read(row, 0))
}

/// The account with this id.
pub fn find(reader: &Reader<'_>, id: UserId) -> Result<Option<Account>> {
    let sql = concat!("SELECT ", columns!(), ", password_digest FROM users WHERE id = $1");
    reader.one(sql, &[id.into()], read_account)
}

/// The account with this address.
pub fn find_by_address(reader: &Reader<'_>, email_address: &EmailAddress) -> Result<Option<Account>> {
    let sql = concat!("SELECT ", columns!(), ", password_digest FROM users WHERE email_address = $1");
    reader.one(sql, &[email_address.into()], read_account)
}

/// Users in the order of their ids, from behind `after`.
pub fn list(reader: &Reader<'_>, after: UserId, limit: u32) -> Result<Vec<User>> {
    let sql = concat!("SELECT ", columns!(), " FROM users WHERE id > $1 ORDER BY id LIMIT $2");
    reader.all(sql, &[after.into(), limit.into()], |row| read(row, 0))
}

/// Puts `new` in the place of `old`; `false` when the digest is no longer `old` or the user is gone. Of two that
/// race one wins.
pub fn replace_digest(
    tx: &Transaction<'_>,
    id: UserId,
    old: &PasswordDigest,
    new: &PasswordDigest,
    now: Timestamp,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE users SET password_digest = $1, updated_at = $2 WHERE id = $3 AND password_digest = $4",
        &[new.into(), now.into(), id.into(), old.into()],
    )?;
    Ok(changed == 1)
}

/// Disables (with the moment) or enables (`None`) a user; `false` when there is none.
pub fn set_disabled(tx: &Transaction<'_>, id: UserId, at: Option<Timestamp>, now: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE users SET disabled_at = $1, updated_at = $2 WHERE id = $3",
        &[at.into(), now.into(), id.into()],
    )?;
    Ok(changed == 1)
}

/// Deletes a user with all that is theirs; `false` when there is none.
pub fn delete(tx: &Transaction<'_>, id: UserId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM users WHERE id = $1", &[id.into()])? == 1)
}

/// Reads a user whose columns start at `first`, in the order of `columns!`.
pub(super) fn read(row: &Row<'_>, first: usize) -> Result<User> {
    Ok(User {
        id: row.get(first)?,
        email_address: row.get(first + 1)?,
        email_confirmed_at: row.get(first + 2)?,
        disabled_at: row.get(first + 3)?,
        created_at: row.get(first + 4)?,
        updated_at: row.get(first + 5)?,
    })
}

fn read_account(row: &Row<'_>) -> Result<Account> {
    Ok(Account { user: read(row, 0)?, password_digest: row.get(6)? })
}
