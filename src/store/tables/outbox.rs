//! The `outbox` table: mails to be sent, as intentions. Nothing secret rests here.

use std::time::Duration;

use serde::Serialize;

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{EmailAddress, UserId};
use crate::store::{Reader, Row, Transaction};

macro_rules! columns {
    () => {
        "id, kind, email_address, created_at, expires_at, attempts, next_attempt_at, sent_at, dead_at, last_error,
         user_id, ip_address, user_agent"
    };
}

/// One intention.
#[derive(Clone, Debug, Serialize)]
pub struct OutboxEntry {
    /// Its id.
    pub id: i64,
    /// Which mail: `password_reset`.
    pub kind: String,
    /// To whom.
    pub email_address: EmailAddress,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// From this moment on it is of no use: its link is dead, or the news old.
    pub expires_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next; while a worker has it, when that lease runs out.
    pub next_attempt_at: Timestamp,
    /// When the transport took it.
    pub sent_at: Option<Timestamp>,
    /// When it was given up.
    pub dead_at: Option<Timestamp>,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// Whom it is about, where the address alone does not say it.
    pub user_id: Option<UserId>,
    /// From where it was done that a notice tells of.
    pub ip_address: Option<String>,
    /// And with which program.
    pub user_agent: Option<String>,
}

/// What an intention is added with.
#[derive(Clone, Copy, Debug)]
pub struct NewIntention<'a> {
    /// Which mail.
    pub kind: &'a str,
    /// To whom.
    pub email_address: &'a EmailAddress,
    /// From this moment on it is of no use.
    pub expires_at: Timestamp,
    /// Whom it is about, where the address alone does not say it.
    pub user_id: Option<UserId>,
    /// From where it was done that a notice tells of.
    pub ip_address: Option<&'a str>,
    /// And with which program.
    pub user_agent: Option<&'a str>,
}

/// Lets an intention that nobody has tried yet serve a new request for the same mail, its link to live until
/// `expires_at`; `false` when none waits.
pub fn renew(
    tx: &Transaction<'_>,
    kind: &str,
    email_address: &EmailAddress,
    expires_at: Timestamp,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE outbox SET expires_at = $1
         WHERE email_address = $2 AND kind = $3 AND attempts = 0 AND sent_at IS NULL AND dead_at IS NULL",
        &[expires_at.into(), email_address.into(), kind.into()],
    )?;
    Ok(changed > 0)
}

/// Adds an intention.
pub fn insert(tx: &Transaction<'_>, new: &NewIntention<'_>, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO outbox (kind, email_address, expires_at, user_id, ip_address, user_agent, created_at, next_attempt_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        &[
            new.kind.into(),
            new.email_address.into(),
            new.expires_at.into(),
            new.user_id.into(),
            new.ip_address.into(),
            new.user_agent.into(),
            now.into(),
        ],
    )?;
    tx.note_enqueued_mail();
    Ok(())
}

/// The intention of that id.
pub fn find(reader: &Reader<'_>, id: i64) -> Result<Option<OutboxEntry>> {
    reader.one(
        concat!("SELECT ", columns!(), " FROM outbox WHERE id = $1"),
        &[id.into()],
        read,
    )
}

/// Takes up to `limit` intentions that are due, for as long as `lease`: a worker that dies loses them to another.
/// The try is counted before it is made.
pub fn lease(
    tx: &Transaction<'_>,
    lease: Duration,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<OutboxEntry>> {
    let sql = concat!(
        "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $1 WHERE id IN
         (SELECT id FROM outbox WHERE sent_at IS NULL AND dead_at IS NULL AND next_attempt_at <= $2
          ORDER BY next_attempt_at LIMIT $3) RETURNING ",
        columns!()
    );
    tx.all(sql, &[(now + lease).into(), now.into(), limit.into()], read)
}

/// When the next one is due; `None` when nothing waits.
pub fn next_due(reader: &Reader<'_>) -> Result<Option<Timestamp>> {
    let next = reader.one(
        "SELECT min(next_attempt_at) FROM outbox WHERE sent_at IS NULL AND dead_at IS NULL",
        &[],
        |row| row.get::<Option<Timestamp>>(0),
    )?;
    Ok(next.flatten())
}

/// Notes that the transport took it.
pub fn mark_sent(tx: &Transaction<'_>, id: i64, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE outbox SET sent_at = $1, last_error = NULL WHERE id = $2",
        &[now.into(), id.into()],
    )
    .map(drop)
}

/// Notes why it failed and when it is tried again.
pub fn mark_failed(
    tx: &Transaction<'_>,
    id: i64,
    reason: &str,
    next_attempt_at: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE outbox SET last_error = $1, next_attempt_at = $2 WHERE id = $3",
        &[reason.into(), next_attempt_at.into(), id.into()],
    )
    .map(drop)
}

/// Gives it up: a dead letter, for an operator to look at.
pub fn mark_dead(tx: &Transaction<'_>, id: i64, reason: &str, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE outbox SET last_error = $1, dead_at = $2 WHERE id = $3",
        &[reason.into(), now.into(), id.into()],
    )
    .map(drop)
}

/// Forgets one: there is nobody to write to.
pub fn delete(tx: &Transaction<'_>, id: i64) -> Result<()> {
    tx.execute("DELETE FROM outbox WHERE id = $1", &[id.into()])
        .map(drop)
}

/// Forgets all that is about a user or goes to their address, sent or not, but for notices (which say from where something
/// was done) that still wait: deleting an account must not silence the warning of its theft. It reads the table: once an
/// account.
pub fn delete_all_for(
    tx: &Transaction<'_>,
    user_id: UserId,
    email_address: &EmailAddress,
) -> Result<usize> {
    tx.execute(
        "DELETE FROM outbox WHERE (user_id = $1 OR email_address = $2)
         AND NOT (ip_address IS NOT NULL AND sent_at IS NULL AND dead_at IS NULL)",
        &[user_id.into(), email_address.into()],
    )
}

/// Puts one that is not sent back to the start, to be of use until `expires_at`; `false` when there is none.
pub fn retry(tx: &Transaction<'_>, id: i64, expires_at: Timestamp, now: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE outbox SET attempts = 0, dead_at = NULL, last_error = NULL, expires_at = $1, next_attempt_at = $2
         WHERE id = $3 AND sent_at IS NULL",
        &[expires_at.into(), now.into(), id.into()],
    )?;
    Ok(changed == 1)
}

/// The newest `limit`, sent ones included.
pub fn list(reader: &Reader<'_>, limit: u32) -> Result<Vec<OutboxEntry>> {
    reader.all(
        concat!(
            "SELECT ",
            columns!(),
            " FROM outbox ORDER BY id DESC LIMIT $1"
        ),
        &[limit.into()],
        read,
    )
}

/// Deletes some that were sent or given up before `before`; gives how many.
pub fn delete_ended(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE sent_at <= $1 OR dead_at <= $1 LIMIT $2)",
        &[before.into(), limit.into()],
    )
}

fn read(row: &Row<'_>) -> Result<OutboxEntry> {
    Ok(OutboxEntry {
        id: row.get(0)?,
        kind: row.get(1)?,
        email_address: row.get(2)?,
        created_at: row.get(3)?,
        expires_at: row.get(4)?,
        attempts: row.get(5)?,
        next_attempt_at: row.get(6)?,
        sent_at: row.get(7)?,
        dead_at: row.get(8)?,
        last_error: row.get(9)?,
        user_id: row.get(10)?,
        ip_address: row.get(11)?,
        user_agent: row.get(12)?,
    })
}
