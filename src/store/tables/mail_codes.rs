//! The `mail_codes` table: requests for a sign-in by mail. It holds neither code nor link: both are derived from the
//! request's token.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{TokenDigest, UserId};
use crate::store::{Reader, Row, Transaction};

macro_rules! columns {
    () => {
        "token_digest, browser_digest, user_id, credentials_version, remembered, expires_at"
    };
}

/// A request to be added.
#[derive(Clone, Debug)]
pub struct NewMailCode {
    /// The digest of its token.
    pub token: TokenDigest,
    /// The digest of the cookie of the browser that sent it.
    pub browser: Option<TokenDigest>,
    /// Whether it asked for the longer lifetime.
    pub remembered: bool,
    /// It is invalid from then on.
    pub expires_at: Timestamp,
}

/// A request that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailCodeRequest {
    /// The digest of its token.
    pub token: TokenDigest,
    /// The digest of the cookie of the browser that sent it.
    pub browser: Option<TokenDigest>,
    /// Whom a code was mailed to, and the user's `credentials_version` then. `None` for an address without an account,
    /// and before the mail.
    pub recipient: Option<(UserId, i64)>,
    /// Whether it asked for the longer lifetime.
    pub remembered: bool,
    /// It is invalid from then on.
    pub expires_at: Timestamp,
}

/// Adds a request; returns its id.
pub fn insert(tx: &Transaction<'_>, new: &NewMailCode) -> Result<i64> {
    let id = tx.one(
        "INSERT INTO mail_codes (token_digest, browser_digest, remembered, tries, expires_at)
         VALUES ($1, $2, $3, 0, $4) RETURNING id",
        &[
            (&new.token).into(),
            new.browser.as_ref().into(),
            i64::from(new.remembered).into(),
            new.expires_at.into(),
        ],
        |row| row.next(),
    )?;
    Ok(id.unwrap_or_default())
}

/// Makes a request that of the user whom its code is mailed to, unless `most` of the user's requests are open: those are
/// never given up for a new one. Returns the digest of its token; `None` if there are too many, or it has ended.
pub fn address_to(
    tx: &Transaction<'_>,
    id: i64,
    (user_id, credentials_version): (UserId, i64),
    most: u32,
    now: Timestamp,
) -> Result<Option<TokenDigest>> {
    tx.one(
        "UPDATE mail_codes SET user_id = $1, credentials_version = $2
         WHERE id = $3 AND expires_at > $4 AND (user_id = $1 OR user_id IS NULL AND $5 >
             (SELECT count(*) FROM mail_codes AS open WHERE open.user_id = $1 AND open.expires_at > $4))
         RETURNING token_digest",
        &[
            user_id.into(),
            credentials_version.into(),
            id.into(),
            now.into(),
            most.into(),
        ],
        |row| row.next(),
    )
}

/// The request with this token, if it is open and fewer than `most` codes were tried.
pub fn find(
    reader: &Reader<'_>,
    token: &TokenDigest,
    most: u32,
    now: Timestamp,
) -> Result<Option<MailCodeRequest>> {
    reader.one(
        concat!(
            "SELECT ",
            columns!(),
            " FROM mail_codes WHERE token_digest = $1 AND tries < $2 AND expires_at > $3"
        ),
        &[token.into(), most.into(), now.into()],
        read,
    )
}

/// The same, and counts a try.
pub fn try_once(
    tx: &Transaction<'_>,
    token: &TokenDigest,
    most: u32,
    now: Timestamp,
) -> Result<Option<MailCodeRequest>> {
    tx.one(
        concat!(
            "UPDATE mail_codes SET tries = tries + 1 WHERE token_digest = $1 AND tries < $2 AND expires_at > $3
             RETURNING ",
            columns!()
        ),
        &[token.into(), most.into(), now.into()],
        read,
    )
}

/// The open requests whose codes were mailed to a user.
pub fn list_for_user(
    reader: &Reader<'_>,
    user_id: UserId,
    most: u32,
    now: Timestamp,
) -> Result<Vec<MailCodeRequest>> {
    reader.all(
        concat!(
            "SELECT ",
            columns!(),
            " FROM mail_codes WHERE user_id = $1 AND tries < $2 AND expires_at > $3 ORDER BY id"
        ),
        &[user_id.into(), most.into(), now.into()],
        read,
    )
}

/// Uses up a request; `false` if it has ended. Of concurrent calls one wins.
pub fn take(tx: &Transaction<'_>, token: &TokenDigest) -> Result<bool> {
    let taken = tx.execute(
        "DELETE FROM mail_codes WHERE token_digest = $1",
        &[token.into()],
    )?;
    Ok(taken == 1)
}

/// Deletes the requests of a user; returns how many.
pub fn delete_all_for_user(tx: &Transaction<'_>, user_id: UserId) -> Result<usize> {
    tx.execute(
        "DELETE FROM mail_codes WHERE user_id = $1",
        &[user_id.into()],
    )
}

/// Deletes up to `limit` requests of any user, and those for addresses without one; returns how many.
pub fn delete_some(tx: &Transaction<'_>, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM mail_codes WHERE id IN (SELECT id FROM mail_codes LIMIT $1)",
        &[limit.into()],
    )
}

/// Deletes up to `limit` requests that are expired; returns how many.
pub fn delete_expired(tx: &Transaction<'_>, now: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM mail_codes WHERE id IN (SELECT id FROM mail_codes WHERE expires_at <= $1 LIMIT $2)",
        &[now.into(), limit.into()],
    )
}

fn read(row: &Row<'_>) -> Result<MailCodeRequest> {
    let (token, browser) = (row.next()?, row.next()?);
    let (user, version): (Option<UserId>, Option<i64>) = (row.next()?, row.next()?);
    Ok(MailCodeRequest {
        token,
        browser,
        recipient: user.zip(version),
        remembered: row.next::<i64>()? != 0,
        expires_at: row.next()?,
    })
}
