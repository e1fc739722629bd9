//! What `cloakroom doctor` reads in a database of the current schema.

use super::engine::{Connection, Reader};
use super::tables::key_bases;
use crate::crypto::key_ring::BaseNames;
use crate::crypto::password;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{EmailAddress, PasswordDigest};

/// A database opened for reading, on the calling thread.
pub struct Content {
    connection: Box<dyn Connection>,
}

impl Content {
    pub(super) fn new(connection: impl Connection + 'static) -> Self {
        Self {
            connection: Box::new(connection),
        }
    }

    /// When the newest row was created; `None` without rows. Reads whole tables.
    ///
    /// # Errors
    /// The database is damaged or has another schema.
    pub fn newest_row(&self) -> Result<Option<Timestamp>> {
        let reader = Reader::new(&*self.connection);
        let newest = reader.one(
            "SELECT max(created_at) FROM (
                 SELECT created_at FROM users UNION ALL SELECT created_at FROM sessions
                 UNION ALL SELECT created_at FROM projects UNION ALL SELECT created_at FROM outbox
             ) AS made",
            &[],
            |row| row.get::<Option<Timestamp>>(0),
        )?;
        Ok(newest.flatten())
    }

    /// How much there is of what users and services sign in with.
    ///
    /// # Errors
    /// The database is damaged or has another schema.
    pub fn holdings(&self, now: Timestamp) -> Result<Holdings> {
        let reader = Reader::new(&*self.connection);
        let found = reader.one(
            "SELECT (SELECT count(*) FROM users),
                    (SELECT count(*) FROM sessions WHERE expires_at > $1),
                    (SELECT count(*) FROM api_keys
                     WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1))",
            &[now.into()],
            |row| {
                Ok(Holdings {
                    users: row.next()?,
                    sessions: row.next()?,
                    api_keys: row.next()?,
                })
            },
        )?;
        found.ok_or_else(|| Error::internal("a count returned no row"))
    }

    /// The names of the key bases that sign.
    ///
    /// # Errors
    /// The database is damaged or has another schema.
    pub fn signing_bases(&self) -> Result<Vec<String>> {
        key_bases::signing(&Reader::new(&*self.connection))
    }

    /// The number of mails abandoned after `since` and not retried.
    ///
    /// # Errors
    /// The database is damaged or has another schema.
    pub fn mails_given_up(&self, since: Timestamp) -> Result<i64> {
        let reader = Reader::new(&*self.connection);
        let sql = "SELECT count(*) FROM outbox WHERE dead_at > $1";
        Ok(reader
            .one(sql, &[since.into()], |row| row.get(0))?
            .unwrap_or_default())
    }

    /// Whether other nodes sign with key bases that a node with these does not have.
    ///
    /// # Errors
    /// The database is damaged or has another schema.
    pub fn is_foreign_base(&self, names: &BaseNames, now: Timestamp) -> Result<bool> {
        key_bases::are_foreign(&Reader::new(&*self.connection), names, now)
    }

    /// The users who can never sign in: with an address that this program would not write, such as one in capitals, with a
    /// password digest that is not bcrypt's, and with a second factor that none of these key bases opens. Rows imported by other programs may be so. Reads whole tables.
    ///
    /// # Errors
    /// The database is damaged or has another schema.
    pub fn foreign_rows(&self, names: Option<&BaseNames>) -> Result<ForeignRows> {
        let reader = Reader::new(&*self.connection);
        let addresses = reader.all(
            "SELECT id, email_address FROM users ORDER BY id",
            &[],
            |row| {
                let (id, text) = (row.next::<i64>()?, row.next::<String>()?);
                let is_ours =
                    EmailAddress::parse(&text).is_ok_and(|address| address.as_str() == text);
                Ok((!is_ours).then_some(id))
            },
        )?;
        let digests = reader.all(
            "SELECT user_id, digest FROM passwords ORDER BY user_id",
            &[],
            |row| {
                let (id, digest) = (row.next::<i64>()?, row.next::<PasswordDigest>()?);
                Ok((!password::is_bcrypt(&digest)).then_some(id))
            },
        )?;
        let secrets = reader.all(
            "SELECT user_id, key_base FROM totp_factors ORDER BY user_id",
            &[],
            |row| {
                let (id, base) = (row.next::<i64>()?, row.next::<String>()?);
                let is_known = names.is_none_or(|names| names.contains(&base));
                Ok((!is_known).then_some(id))
            },
        )?;
        Ok(ForeignRows {
            secrets: secrets.into_iter().flatten().collect(),
            addresses: addresses.into_iter().flatten().collect(),
            digests: digests.into_iter().flatten().collect(),
        })
    }
}

/// What a database holds that is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Users, also disabled ones.
    pub users: i64,
    /// Sessions that are not expired.
    pub sessions: i64,
    /// API keys that are not expired or revoked.
    pub api_keys: i64,
}

/// The ids of users whose rows this program would not write.
#[derive(Debug)]
pub struct ForeignRows {
    /// By their address.
    pub addresses: Vec<i64>,
    /// By their password digest.
    pub digests: Vec<i64>,
    /// By the key base that seals the secret of their authenticator app.
    pub secrets: Vec<i64>,
}
