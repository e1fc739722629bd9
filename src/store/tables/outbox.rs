//! The `outbox` table: mails to send. It holds no secret: the worker signs links when it sends.

use std::time::Duration;

use serde::Serialize;

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::mail_kind::Priority;
use crate::domain::{EmailAddress, Locale, UserId};
use crate::store::{Reader, Row, Transaction};

macro_rules! columns {
    () => {
        "id, kind, email_address, created_at, expires_at, attempts, next_attempt_at, sent_at, dead_at, last_error,
         user_id, ip_address, user_agent, subject_id, locale"
    };
}

/// A mail to send.
#[derive(Clone, Debug, Serialize)]
pub struct OutboxEntry {
    /// The id.
    pub id: i64,
    /// The kind: `password_reset`.
    pub kind: String,
    /// The recipient.
    pub email_address: EmailAddress,
    /// When it was requested.
    pub created_at: Timestamp,
    /// When it becomes useless: its link expires, or its news is old.
    pub expires_at: Timestamp,
    /// The number of attempts.
    pub attempts: i64,
    /// When the next attempt is due; while a worker has leased it, when the lease ends.
    pub next_attempt_at: Timestamp,
    /// When the transport accepted it.
    pub sent_at: Option<Timestamp>,
    /// When the worker gave up.
    pub dead_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// The user it is about, where the address does not identify them.
    pub user_id: Option<UserId>,
    /// The client of the reported change, in notices.
    pub ip_address: Option<String>,
    /// The user agent of that client.
    pub user_agent: Option<String>,
    /// The id of the API key that a notice is about, or of the request for a mailed code or an identity.
    #[serde(skip)]
    pub subject_id: Option<i64>,
    /// The language: of the request for a link, or of the user whom a notice is for.
    #[serde(skip)]
    pub locale: Option<Locale>,
}

/// What a mail is for, as the table needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It carries a link.
    Link,
    /// It reports a change to the owner of the account.
    Notice,
}

impl Class {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Notice => "notice",
        }
    }
}

/// A mail to add.
#[derive(Clone, Copy, Debug)]
pub struct NewOutboxEntry<'a> {
    /// The kind.
    pub kind: &'a str,
    /// What it is for.
    pub class: Class,
    /// Whether it is sent before others.
    pub priority: Priority,
    /// The recipient.
    pub email_address: &'a EmailAddress,
    /// When it becomes useless.
    pub expires_at: Timestamp,
    /// The user it is about, where the address does not identify them.
    pub user_id: Option<UserId>,
    /// The client of the reported change, in notices.
    pub ip_address: Option<&'a str>,
    /// The user agent of that client.
    pub user_agent: Option<&'a str>,
    /// The id of the API key that a notice is about, or of the request of a mailed code.
    pub subject_id: Option<i64>,
    /// The language: of the request for a link, or of the user whom a notice is for.
    pub locale: Option<&'a Locale>,
}

pub(in crate::store) const RENEW: &str = "UPDATE outbox SET expires_at = $1
     WHERE email_address = $2 AND kind = $3 AND attempts = 0 AND sent_at IS NULL AND dead_at IS NULL";

/// Extends a waiting mail without attempts to `expires_at`, instead of adding another of its kind; `false` if none
/// waits.
pub fn renew(
    tx: &Transaction<'_>,
    kind: &str,
    email_address: &EmailAddress,
    expires_at: Timestamp,
) -> Result<bool> {
    let changed = tx.execute(
        RENEW,
        &[expires_at.into(), email_address.into(), kind.into()],
    )?;
    if changed > 0 {
        tx.note_enqueued_mail();
    }
    Ok(changed > 0)
}

/// Adds a mail.
pub fn insert(tx: &Transaction<'_>, new: &NewOutboxEntry<'_>, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO outbox (kind, class, email_address, expires_at, user_id, ip_address, user_agent, subject_id,
         created_at, next_attempt_at, priority, locale) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)",
        &[
            new.kind.into(),
            new.class.as_str().into(),
            new.email_address.into(),
            new.expires_at.into(),
            new.user_id.into(),
            new.ip_address.into(),
            new.user_agent.into(),
            new.subject_id.into(),
            now.into(),
            rank(new.priority).into(),
            new.locale.into(),
        ],
    )?;
    tx.note_enqueued_mail();
    Ok(())
}

/// A mail by its id.
pub fn find(reader: &Reader<'_>, id: i64) -> Result<Option<OutboxEntry>> {
    reader.one(
        concat!("SELECT ", columns!(), " FROM outbox WHERE id = $1"),
        &[id.into()],
        read,
    )
}

/// Domains to which no further mail is sent for now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusyDomains {
    /// For `NOT LIKE`; an empty one matches no address.
    patterns: [String; Self::MOST],
}

impl BusyDomains {
    /// How many there can be; more are ignored.
    pub const MOST: usize = 4;

    /// These domains, in lower case. Domains have no `%` or `_`.
    pub fn new<'a>(domains: impl IntoIterator<Item = &'a str>) -> Self {
        let mut busy = Self::default();
        for (pattern, domain) in busy.patterns.iter_mut().zip(domains) {
            *pattern = format!("%@{domain}");
        }
        busy
    }
}

/// The due mails are chosen once: without `MATERIALIZED`, PostgreSQL may choose again for each row.
macro_rules! lease {
    ($lock:literal) => {
        concat!(
            "WITH due AS MATERIALIZED
             (SELECT id FROM outbox WHERE priority = $1 AND sent_at IS NULL AND dead_at IS NULL AND next_attempt_at <= $2
              AND email_address NOT LIKE $3 AND email_address NOT LIKE $4
              AND email_address NOT LIKE $5 AND email_address NOT LIKE $6
              ORDER BY next_attempt_at, id LIMIT $7",
            $lock,
            ") UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $8 WHERE id IN (SELECT id FROM due)
             RETURNING ",
            columns!()
        )
    };
}

/// Leases up to `limit` due mails, those of the first priority first: after `lease`, another worker may take them. The
/// attempt is counted before it is made.
pub fn lease(
    tx: &Transaction<'_>,
    lease: Duration,
    limit: u32,
    busy: &BusyDomains,
    now: Timestamp,
) -> Result<Vec<OutboxEntry>> {
    let sql = match tx.locks_rows() {
        true => lease!(" FOR UPDATE SKIP LOCKED"),
        false => lease!(""),
    };
    let [a, b, c, d] = &busy.patterns;
    let mut leased = Vec::new();
    for priority in Priority::ALL {
        let left = limit.saturating_sub(u32::try_from(leased.len()).unwrap_or(u32::MAX));
        if left > 0 {
            let mut due = tx.all(
                sql,
                &[
                    rank(priority).into(),
                    now.into(),
                    a.as_str().into(),
                    b.as_str().into(),
                    c.as_str().into(),
                    d.as_str().into(),
                    left.into(),
                    (now + lease).into(),
                ],
                read,
            )?;
            // RETURNING has no order.
            due.sort_unstable_by_key(|entry| entry.id);
            leased.extend(due);
        }
    }
    Ok(leased)
}

/// When the next mail is due; `None` if none waits.
pub fn next_due(reader: &Reader<'_>, busy: &BusyDomains) -> Result<Option<Timestamp>> {
    let [a, b, c, d] = &busy.patterns;
    let mut next = None;
    for priority in Priority::ALL {
        let due = reader.one(
            "SELECT next_attempt_at FROM outbox WHERE priority = $1 AND sent_at IS NULL AND dead_at IS NULL
             AND email_address NOT LIKE $2 AND email_address NOT LIKE $3
             AND email_address NOT LIKE $4 AND email_address NOT LIKE $5
             ORDER BY next_attempt_at LIMIT 1",
            &[
                rank(priority).into(),
                a.as_str().into(),
                b.as_str().into(),
                c.as_str().into(),
                d.as_str().into(),
            ],
            |row| row.next::<Timestamp>(),
        )?;
        next = match (next, due) {
            (Some(next), Some(due)) => Some(std::cmp::min(next, due)),
            (next, due) => next.or(due),
        };
    }
    Ok(next)
}

const WAITING: &str = "SELECT count(*), min(created_at) FROM outbox
     WHERE sent_at IS NULL AND dead_at IS NULL";

/// How many mails wait, and when the oldest of them was requested.
pub fn waiting(reader: &Reader<'_>) -> Result<(u64, Option<Timestamp>)> {
    let found = reader.one(WAITING, &[], |row| Ok((row.next::<i64>()?, row.next()?)))?;
    let (count, oldest) = found.unwrap_or_default();
    Ok((u64::try_from(count).unwrap_or(0), oldest))
}

/// How many mails were given up and are kept. It reads the table.
pub fn count_dead(reader: &Reader<'_>) -> Result<u64> {
    let sql = "SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL";
    let count: Option<i64> = reader.one(sql, &[], |row| row.next())?;
    Ok(count
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or(0))
}

/// Returns a leased mail without an attempt, until `next_attempt_at`.
pub fn postpone(tx: &Transaction<'_>, id: i64, next_attempt_at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE outbox SET attempts = attempts - 1, next_attempt_at = $1 WHERE id = $2 AND attempts > 0",
        &[next_attempt_at.into(), id.into()],
    )
    .map(drop)
}

/// Records that the transport accepted a mail.
pub fn mark_sent(tx: &Transaction<'_>, id: i64, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE outbox SET sent_at = $1, last_error = NULL WHERE id = $2",
        &[now.into(), id.into()],
    )
    .map(drop)
}

/// Records why an attempt failed and when the next is due.
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

/// Gives a mail up; operators can inspect and retry it.
pub fn mark_dead(tx: &Transaction<'_>, id: i64, reason: &str, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE outbox SET last_error = $1, dead_at = $2 WHERE id = $3",
        &[reason.into(), now.into(), id.into()],
    )
    .map(drop)
}

/// Deletes a mail.
pub fn delete(tx: &Transaction<'_>, id: i64) -> Result<()> {
    tx.execute("DELETE FROM outbox WHERE id = $1", &[id.into()])
        .map(drop)
}

pub(in crate::store) const DELETE_ALL_FOR: &str =
    "DELETE FROM outbox WHERE (user_id = $1 OR email_address = $2)
     AND NOT (class = 'notice' AND sent_at IS NULL AND dead_at IS NULL)";

/// Deletes the mails about a user and to their address, except waiting notices: an attacker who deletes an account must
/// not suppress the warnings about it. Returns how many.
pub fn delete_all_for(
    tx: &Transaction<'_>,
    user_id: UserId,
    email_address: &EmailAddress,
) -> Result<usize> {
    tx.execute(DELETE_ALL_FOR, &[user_id.into(), email_address.into()])
}

/// Deletes up to `limit` mails with links that were not sent; returns how many.
pub fn delete_some_waiting_links(tx: &Transaction<'_>, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM outbox WHERE id IN
         (SELECT id FROM outbox WHERE class = 'link' AND sent_at IS NULL AND dead_at IS NULL LIMIT $1)",
        &[limit.into()],
    )
}

/// Resets an unsent mail to its first attempt and extends it to `expires_at`; `false` if there is none.
pub fn retry(tx: &Transaction<'_>, id: i64, expires_at: Timestamp, now: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE outbox SET attempts = 0, dead_at = NULL, last_error = NULL, expires_at = $1, next_attempt_at = $2
         WHERE id = $3 AND sent_at IS NULL",
        &[expires_at.into(), now.into(), id.into()],
    )?;
    Ok(changed == 1)
}

/// The newest `limit` mails, with sent ones.
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

/// Deletes up to `limit` mails that were sent or given up by `before`; returns how many.
pub fn delete_finished(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE sent_at <= $1 OR dead_at <= $1 LIMIT $2)",
        &[before.into(), limit.into()],
    )
}

/// The order of sending: lower first.
const fn rank(priority: Priority) -> i64 {
    match priority {
        Priority::High => 0,
        Priority::Low => 1,
    }
}

fn read(row: &Row<'_>) -> Result<OutboxEntry> {
    Ok(OutboxEntry {
        id: row.next()?,
        kind: row.next()?,
        email_address: row.next()?,
        created_at: row.next()?,
        expires_at: row.next()?,
        attempts: row.next()?,
        next_attempt_at: row.next()?,
        sent_at: row.next()?,
        dead_at: row.next()?,
        last_error: row.next()?,
        user_id: row.next()?,
        ip_address: row.next()?,
        user_agent: row.next()?,
        subject_id: row.next()?,
        locale: row.next()?,
    })
}
