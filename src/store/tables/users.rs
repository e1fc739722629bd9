//! The `users` table, and accounts: a user with the digest of the password, if there is one.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{Account, EmailAddress, JsonObject, Locale, Role, User, UserId};
use crate::store::{Reader, Row, Transaction};

/// The columns that [`read`] takes, in its order.
macro_rules! user_columns {
    () => {
        "users.id, users.email_address, users.email_confirmed_at, users.disabled_at, users.created_at, users.updated_at,
         users.role, users.second_factor_due_at, users.name, users.profile, users.metadata, users.locale"
    };
}
pub(super) use user_columns;

macro_rules! select_account {
    () => {
        concat!(
            "SELECT ",
            user_columns!(),
            ", passwords.digest, users.pending_email_address, users.credentials_version,
             users.links_by_address FROM users LEFT JOIN passwords ON passwords.user_id = users.id WHERE "
        )
    };
}

/// What a user changes of their own; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct DetailChanges<'a> {
    /// The new name; `Some(None)` removes it.
    pub name: Option<Option<&'a str>>,
    /// The new profile.
    pub profile: Option<&'a JsonObject>,
}

/// Adds a user without a credential; `None` if the address is taken.
pub fn insert(
    tx: &Transaction<'_>,
    email_address: &EmailAddress,
    locale: Option<&Locale>,
    now: Timestamp,
) -> Result<Option<User>> {
    let sql = concat!(
        "INSERT INTO users (email_address, locale, created_at, updated_at) VALUES ($1, $2, $3, $3)
         ON CONFLICT (email_address) DO NOTHING RETURNING ",
        user_columns!()
    );
    tx.one(
        sql,
        &[email_address.into(), locale.into(), now.into()],
        read,
    )
}

/// The account of a user.
pub fn find(reader: &Reader<'_>, id: UserId) -> Result<Option<Account>> {
    let sql = concat!(select_account!(), "users.id = $1");
    reader.one(sql, &[id.into()], read_account)
}

/// The account with this address.
pub fn find_by_address(
    reader: &Reader<'_>,
    email_address: &EmailAddress,
) -> Result<Option<Account>> {
    let sql = concat!(select_account!(), "users.email_address = $1");
    reader.one(sql, &[email_address.into()], read_account)
}

/// Up to `limit` users in the order of their ids, after `after`.
pub fn list(reader: &Reader<'_>, after: UserId, limit: u32) -> Result<Vec<User>> {
    let sql = concat!(
        "SELECT ",
        user_columns!(),
        " FROM users WHERE users.id > $1 ORDER BY users.id LIMIT $2"
    );
    reader.all(sql, &[after.into(), limit.into()], read)
}

/// Changes name and profile; `None` if the user does not exist.
pub fn update_details(
    tx: &Transaction<'_>,
    id: UserId,
    changes: &DetailChanges<'_>,
    now: Timestamp,
) -> Result<Option<User>> {
    let sql = concat!(
        "UPDATE users SET name = CASE WHEN $1 = 1 THEN $2 ELSE name END, profile = coalesce($3, profile),
         updated_at = $4 WHERE id = $5 RETURNING ",
        user_columns!()
    );
    let values = [
        i64::from(changes.name.is_some()).into(),
        changes.name.flatten().into(),
        changes.profile.into(),
        now.into(),
        id.into(),
    ];
    tx.one(sql, &values, read)
}

/// Replaces what operators record about a user; `None` if the user does not exist.
pub fn set_metadata(
    tx: &Transaction<'_>,
    id: UserId,
    metadata: &JsonObject,
    now: Timestamp,
) -> Result<Option<User>> {
    let sql = concat!(
        "UPDATE users SET metadata = $1, updated_at = $2 WHERE id = $3 RETURNING ",
        user_columns!()
    );
    tx.one(sql, &[metadata.into(), now.into(), id.into()], read)
}

/// Records that a credential of the user changed.
pub(super) fn touch(tx: &Transaction<'_>, id: UserId, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE users SET updated_at = $1 WHERE id = $2",
        &[now.into(), id.into()],
    )
    .map(drop)
}

/// Marks the address as verified; `false` if it was before, or is another by now.
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

/// Stores the requested new address in place of an earlier one; `None` withdraws it. `false` if the user does not exist.
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

/// Replaces the address `old` by the pending one, as verified; `false` if that is no longer pending or another user has it
/// by now. Of two concurrent calls one wins.
pub fn change_address(
    tx: &Transaction<'_>,
    id: UserId,
    old: &EmailAddress,
    pending: &EmailAddress,
    now: Timestamp,
) -> Result<bool> {
    // Tested in the statement: a violation of the unique index would be an error, and this is none.
    let changed = tx.execute(
        "UPDATE users SET email_address = $1, email_confirmed_at = $2, updated_at = $2, pending_email_address = NULL
         WHERE id = $3 AND email_address = $4 AND pending_email_address = $1
             AND NOT EXISTS (SELECT 1 FROM users WHERE email_address = $1)",
        &[pending.into(), now.into(), id.into(), old.into()],
    )?;
    Ok(changed == 1)
}

/// The last of up to `limit` users above `after`, by id.
pub fn last_of_next(reader: &Reader<'_>, after: UserId, limit: u32) -> Result<Option<UserId>> {
    let last = reader.one(
        "SELECT max(id) FROM (SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2) AS next",
        &[after.into(), limit.into()],
        |row| row.get(0),
    )?;
    Ok(last.flatten())
}

/// Makes invalid all links of the users above `after` up to `last`. Their counters jump ahead by the time, to values that
/// none of the accounts has had or will have again by another call: a restored backup repeats counters.
pub fn end_links(
    tx: &Transaction<'_>,
    after: UserId,
    last: UserId,
    now: Timestamp,
) -> Result<usize> {
    tx.execute(
        "UPDATE users SET credentials_version = credentials_version + $1 WHERE id > $2 AND id <= $3",
        &[now.into(), after.into(), last.into()],
    )
}

/// Voids all links of a user and withdraws the pending address.
pub fn invalidate_links(tx: &Transaction<'_>, id: UserId) -> Result<()> {
    tx.execute(
        "UPDATE users SET credentials_version = credentials_version + 1, pending_email_address = NULL WHERE id = $1",
        &[id.into()],
    )
    .map(drop)
}

/// Disables a user at a time, or enables them (`None`); `false` if the user does not exist.
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

/// Sets what a user may do beyond the own account; `false` if the user does not exist.
pub fn set_role(tx: &Transaction<'_>, id: UserId, role: Role, now: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE users SET role = $1, updated_at = $2 WHERE id = $3",
        &[role.as_str().into(), now.into(), id.into()],
    )?;
    Ok(changed == 1)
}

/// Sets until when a user may sign in without a second factor; `None` if none is due.
pub fn set_second_factor_due(
    tx: &Transaction<'_>,
    id: UserId,
    due_at: Option<Timestamp>,
) -> Result<()> {
    tx.execute(
        "UPDATE users SET second_factor_due_at = $1 WHERE id = $2",
        &[due_at.into(), id.into()],
    )
    .map(drop)
}

/// From now on, identities are linked to the user by a mailed link alone, or by the user.
pub fn stop_linking_by_address(tx: &Transaction<'_>, id: UserId) -> Result<()> {
    tx.execute(
        "UPDATE users SET links_by_address = 0 WHERE id = $1",
        &[id.into()],
    )
    .map(drop)
}

/// Deletes a user with all rows that belong to them; `false` if the user does not exist.
pub fn delete(tx: &Transaction<'_>, id: UserId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM users WHERE id = $1", &[id.into()])? == 1)
}

/// Reads `user_columns!`.
pub(super) fn read(row: &Row<'_>) -> Result<User> {
    Ok(User {
        id: row.next()?,
        email_address: row.next()?,
        email_confirmed_at: row.next()?,
        disabled_at: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        role: row.next()?,
        second_factor_due_at: row.next()?,
        name: row.next()?,
        profile: row.next()?,
        metadata: row.next()?,
        locale: row.next()?,
    })
}

fn read_account(row: &Row<'_>) -> Result<Account> {
    Ok(Account {
        user: read(row)?,
        password_digest: row.next()?,
        pending_email_address: row.next()?,
        credentials_version: row.next()?,
        links_by_address: row.next::<i64>()? != 0,
    })
}
