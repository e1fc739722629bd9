//! The `users` table.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{Account, EmailAddress, PasswordDigest, User, UserId};
use crate::store::{Reader, Row, Transaction};

macro_rules! columns {
    () => {
        "id, email_address, email_confirmed_at, disabled_at, created_at, updated_at"
    };
}

macro_rules! account_columns {
    () => {
        concat!(
            columns!(),
            ", password_digest, pending_email_address, credentials_version"
        )
    };
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
    tx.one(
        sql,
        &[email_address.into(), digest.into(), now.into()],
        |row| read(row, 0),
    )
}

/// The account with this id.
pub fn find(reader: &Reader<'_>, id: UserId) -> Result<Option<Account>> {
    let sql = concat!("SELECT ", account_columns!(), " FROM users WHERE id = $1");
    reader.one(sql, &[id.into()], read_account)
}

/// The account with this address.
pub fn find_by_address(
    reader: &Reader<'_>,
    email_address: &EmailAddress,
) -> Result<Option<Account>> {
    let sql = concat!(
        "SELECT ",
        account_columns!(),
        " FROM users WHERE email_address = $1"
    );
    reader.one(sql, &[email_address.into()], read_account)
}

/// Users in the order of their ids, from behind `after`.
pub fn list(reader: &Reader<'_>, after: UserId, limit: u32) -> Result<Vec<User>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM users WHERE id > $1 ORDER BY id LIMIT $2"
    );
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

/// Notes that the address was proved to be theirs; `false` when it was already, or is no longer this one.
pub fn confirm_address(
    tx: &Transaction<'_>,
    id: UserId,
    address: &EmailAddress,
    now: Timestamp,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE users SET email_confirmed_at = $1, updated_at = $1
         WHERE id = $2 AND email_address = $3 AND email_confirmed_at IS NULL",
        &[now.into(), id.into(), address.into()],
    )?;
    Ok(changed == 1)
}

/// Keeps an address until it is confirmed, in the place of one kept before; `None` withdraws it. `false` when there is
/// no such user.
pub fn set_pending_address(
    tx: &Transaction<'_>,
    id: UserId,
    address: Option<&EmailAddress>,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE users SET pending_email_address = $1 WHERE id = $2",
        &[address.into(), id.into()],
    )?;
    Ok(changed == 1)
}

/// Puts the pending address in the place of `old`, as one that was proved to be theirs; `false` when it is no longer
/// pending, or somebody has it by now. Of two that race one wins.
pub fn change_address(
    tx: &Transaction<'_>,
    id: UserId,
    old: &EmailAddress,
    pending: &EmailAddress,
    now: Timestamp,
) -> Result<bool> {
    // Asked for in the statement: a broken unique index would be a fault, and this is none.
    let changed = tx.execute(
        "UPDATE users SET email_address = $1, email_confirmed_at = $2, updated_at = $2, pending_email_address = NULL
         WHERE id = $3 AND email_address = $4 AND pending_email_address = $1
             AND NOT EXISTS (SELECT 1 FROM users WHERE email_address = $1)",
        &[pending.into(), now.into(), id.into(), old.into()],
    )?;
    Ok(changed == 1)
}

/// Voids every outstanding link of a user and a pending address.
pub fn invalidate_links(tx: &Transaction<'_>, id: UserId) -> Result<()> {
    tx.execute(
        "UPDATE users SET credentials_version = credentials_version + 1, pending_email_address = NULL WHERE id = $1",
        &[id.into()],
    )
    .map(drop)
}

/// Disables (with the moment) or enables (`None`) a user; `false` when there is none.
pub fn set_disabled(
    tx: &Transaction<'_>,
    id: UserId,
    at: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool> {
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
    Ok(Account {
        user: read(row, 0)?,
        password_digest: row.get(6)?,
        pending_email_address: row.get(7)?,
        credentials_version: row.get(8)?,
    })
}
