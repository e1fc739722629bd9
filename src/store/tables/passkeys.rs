//! The `passkeys` table, and `passkey_handles`: what authenticators know their users by.

use super::users;
use crate::crypto::webauthn::{Assertion, NewPasskey, PublicKey, Refusal, StoredPasskey};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{Passkey, PasskeyId, UserHandle, UserId};
use crate::store::{Reader, Row, Transaction};

/// The columns that [`read`] takes, in its order.
macro_rules! columns {
    () => {
        "id, name, created_at, last_used_at, backed_up, credential_id, transports"
    };
}

/// What an assertion by a passkey is verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyKey {
    /// The passkey.
    pub id: PasskeyId,
    /// Its user.
    pub user_id: UserId,
    /// What the authenticator knows the user by.
    pub handle: UserHandle,
    /// What is known of its authenticator.
    pub stored: StoredPasskey,
}

/// The user for whom a credential id is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The passkey.
    pub passkey: PasskeyId,
    /// Its user.
    pub user: UserId,
    /// Whether the user's address was ever verified.
    pub is_verified: bool,
}

/// What came of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is removed.
    Done,
    /// The user has no such passkey.
    Unknown,
    /// The user has nothing else to sign in with.
    Last,
}

/// Adds a passkey of this name; `None` if the user has `most`, or if its credential id is registered.
pub fn insert(
    tx: &Transaction<'_>,
    user_id: UserId,
    new: &NewPasskey,
    name: &str,
    most: u32,
    now: Timestamp,
) -> Result<Option<Passkey>> {
    let sql = concat!(
        "INSERT INTO passkeys (user_id, credential_id, public_key, sign_count, backup_eligible, backed_up, aaguid,
         transports, name, created_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
         WHERE (SELECT count(*) FROM passkeys WHERE user_id = $1) < $11
         ON CONFLICT (credential_id) DO NOTHING RETURNING ",
        columns!()
    );
    let transports = new.transports.join(" ");
    let values = [
        user_id.into(),
        (&new.credential_id).into(),
        new.public_key.as_cose().into(),
        new.sign_count.into(),
        i64::from(new.backup_eligible).into(),
        i64::from(new.backed_up).into(),
        new.aaguid.as_slice().into(),
        transports.as_str().into(),
        name.into(),
        now.into(),
        most.into(),
    ];
    let inserted = tx.one(sql, &values, read)?;
    if inserted.is_some() {
        users::touch(tx, user_id, now)?;
    }
    Ok(inserted)
}

/// For whom a credential id is registered; `None` if it is for no user.
pub fn find_holder(reader: &Reader<'_>, credential_id: &[u8]) -> Result<Option<Holder>> {
    reader.one(
        "SELECT passkeys.id, passkeys.user_id, users.email_confirmed_at
         FROM passkeys JOIN users ON users.id = passkeys.user_id WHERE passkeys.credential_id = $1",
        &[credential_id.into()],
        |row| {
            Ok(Holder {
                passkey: row.next()?,
                user: row.next()?,
                is_verified: row.next::<Option<Timestamp>>()?.is_some(),
            })
        },
    )
}

/// The passkey with this credential id.
pub fn find_key(reader: &Reader<'_>, credential_id: &[u8]) -> Result<Option<PasskeyKey>> {
    reader.one(
        "SELECT passkeys.id, passkeys.user_id, passkey_handles.handle, passkeys.public_key, passkeys.sign_count,
         passkeys.backup_eligible FROM passkeys JOIN passkey_handles ON passkey_handles.user_id = passkeys.user_id
         WHERE passkeys.credential_id = $1",
        &[credential_id.into()],
        |row| {
            Ok(PasskeyKey {
                id: row.next()?,
                user_id: row.next()?,
                handle: row.next()?,
                stored: read_stored(row)?,
            })
        },
    )
}

/// Records the use of a passkey of a user; `false` if it is removed by now.
pub fn note_use(
    tx: &Transaction<'_>,
    user_id: UserId,
    id: PasskeyId,
    assertion: &Assertion,
    now: Timestamp,
) -> Result<bool> {
    let noted = tx.execute(
        "UPDATE passkeys SET sign_count = CASE WHEN $1 > sign_count THEN $1 ELSE sign_count END, backed_up = $2,
         last_used_at = $3 WHERE id = $4 AND user_id = $5",
        &[
            assertion.sign_count.into(),
            i64::from(assertion.backed_up).into(),
            now.into(),
            id.into(),
            user_id.into(),
        ],
    )?;
    Ok(noted == 1)
}

/// The passkeys of a user, the newest first.
pub fn list_for_user(reader: &Reader<'_>, user_id: UserId) -> Result<Vec<Passkey>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM passkeys WHERE user_id = $1 ORDER BY id DESC"
    );
    reader.all(sql, &[user_id.into()], read)
}

/// The handle of a user, if they have one.
pub fn handle(reader: &Reader<'_>, user_id: UserId) -> Result<Option<UserHandle>> {
    reader.one(
        "SELECT handle FROM passkey_handles WHERE user_id = $1",
        &[user_id.into()],
        |row| row.get(0),
    )
}

/// How many passkeys a user has.
pub fn count(reader: &Reader<'_>, user_id: UserId) -> Result<i64> {
    let count = reader.one(
        "SELECT count(*) FROM passkeys WHERE user_id = $1",
        &[user_id.into()],
        |row| row.get(0),
    )?;
    Ok(count.unwrap_or_default())
}

/// Renames a passkey of a user; `None` if they have none with this id.
pub fn rename(
    tx: &Transaction<'_>,
    user_id: UserId,
    id: PasskeyId,
    name: &str,
) -> Result<Option<Passkey>> {
    let sql = concat!(
        "UPDATE passkeys SET name = $1 WHERE user_id = $2 AND id = $3 RETURNING ",
        columns!()
    );
    tx.one(sql, &[name.into(), user_id.into(), id.into()], read)
}

/// Removes a passkey of a user, unless it is the last way to sign in: no password, no other passkey, and no linked identity
/// that signs in (`has_identity`).
pub fn remove(
    tx: &Transaction<'_>,
    user_id: UserId,
    id: PasskeyId,
    has_identity: bool,
    now: Timestamp,
) -> Result<Removed> {
    let removed = tx.execute(
        "DELETE FROM passkeys WHERE user_id = $1 AND id = $2
         AND ($3 = 1
              OR EXISTS (SELECT 1 FROM passwords WHERE user_id = $1)
              OR EXISTS (SELECT 1 FROM passkeys AS others WHERE others.user_id = $1 AND others.id <> $2))",
        &[user_id.into(), id.into(), i64::from(has_identity).into()],
    )?;
    if removed == 1 {
        users::touch(tx, user_id, now)?;
        return Ok(Removed::Done);
    }
    let is_there = tx.exists(
        "SELECT 1 FROM passkeys WHERE user_id = $1 AND id = $2",
        &[user_id.into(), id.into()],
    )?;
    Ok(match is_there {
        true => Removed::Last,
        false => Removed::Unknown,
    })
}

/// Removes a passkey of a user, whether or not there is another way to sign in.
pub fn delete(tx: &Transaction<'_>, user_id: UserId, id: PasskeyId) -> Result<()> {
    tx.execute(
        "DELETE FROM passkeys WHERE user_id = $1 AND id = $2",
        &[user_id.into(), id.into()],
    )
    .map(drop)
}

/// Removes the passkeys of a user that were added before a time; returns how many there were.
pub fn delete_older(tx: &Transaction<'_>, user_id: UserId, before: Timestamp) -> Result<usize> {
    tx.execute(
        "DELETE FROM passkeys WHERE user_id = $1 AND created_at < $2",
        &[user_id.into(), before.into()],
    )
}

/// Removes all passkeys of a user, and the handle; returns how many there were.
pub fn remove_all(tx: &Transaction<'_>, user_id: UserId) -> Result<usize> {
    tx.execute(
        "DELETE FROM passkey_handles WHERE user_id = $1",
        &[user_id.into()],
    )?;
    tx.execute("DELETE FROM passkeys WHERE user_id = $1", &[user_id.into()])
}

/// The handle of a user, which is `new` if they have none yet.
pub fn handle_or(tx: &Transaction<'_>, user_id: UserId, new: &UserHandle) -> Result<UserHandle> {
    tx.execute(
        "INSERT INTO passkey_handles (user_id, handle) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING",
        &[user_id.into(), new.into()],
    )?;
    Ok(handle(tx, user_id)?.unwrap_or(*new))
}

fn read_stored(row: &Row<'_>) -> Result<StoredPasskey> {
    let unreadable = |refusal: Refusal| {
        let reason = refusal.name();
        Error::internal(format!(
            "the public key of a passkey cannot be read: {reason}"
        ))
    };
    Ok(StoredPasskey {
        public_key: PublicKey::from_cose(&row.next::<Vec<u8>>()?).map_err(unreadable)?,
        sign_count: u32::try_from(row.next::<i64>()?).map_err(Error::internal)?,
        backup_eligible: row.next::<i64>()? != 0,
    })
}

fn read(row: &Row<'_>) -> Result<Passkey> {
    Ok(Passkey {
        id: row.next()?,
        name: row.next()?,
        created_at: row.next()?,
        last_used_at: row.next()?,
        backed_up: row.next::<i64>()? != 0,
        credential_id: row.next()?,
        transports: row.next()?,
    })
}
