//! The `audit_events` table: the audit trail. The module [`audit`](crate::audit) computes digests, MACs and hashes.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{ApiKeyId, SessionId, UserId};
use crate::store::{Reader, Row, Transaction};

macro_rules! columns {
    () => {
        "id, at, kind, outcome, actor, actor_id, user_id, session_id, api_key_id, details, repeats, request_id,
         ip_address, user_agent, nonce, client_digest, mac, position, previous, hash"
    };
}

/// What a row tells. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    /// When it happened.
    pub at: Timestamp,
    /// The name of the event.
    pub kind: String,
    /// `success` or `refused`.
    pub outcome: String,
    /// Who acted: `user`, `api_key`, `operator` or `system`; `None` for a client without a credential.
    pub actor: Option<String>,
    /// The user or the API key that acted.
    pub actor_id: Option<i64>,
    /// The user whom it concerns.
    pub user_id: Option<UserId>,
    /// The session that it concerns.
    pub session_id: Option<SessionId>,
    /// The API key that it concerns.
    pub api_key_id: Option<ApiKeyId>,
    /// The other fields of the event, a JSON object.
    pub details: String,
    /// How many refusals alike the row stands for; else 1.
    pub repeats: i64,
    /// The id of the request.
    pub request_id: Option<String>,
}

/// From where; erased some time after the account was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub ip_address: Option<String>,
    /// Its `User-Agent`.
    pub user_agent: Option<String>,
    /// Random bytes in the digest of these facts, so that it reveals nothing without them; `None` once they are erased.
    pub nonce: Option<Vec<u8>>,
}

/// A row without its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuditEvent {
    /// What it tells.
    pub told: Told,
    /// From where.
    pub origin: Origin,
    /// SHA-256 of the origin.
    pub client_digest: Vec<u8>,
    /// The MAC of what it tells and of the digest.
    pub mac: Vec<u8>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its id.
    pub id: i64,
    /// What was added.
    pub event: NewAuditEvent,
    /// Its place in the chain; `None`: it is not sealed yet.
    pub position: Option<i64>,
    /// The hash of the row before.
    pub previous: Option<Vec<u8>>,
    /// Its hash.
    pub hash: Option<Vec<u8>>,
}

/// A place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// From 1, without gaps.
    pub position: i64,
    /// The row there.
    pub id: i64,
    /// The hash of the row before.
    pub previous: Option<Vec<u8>>,
    /// Its hash.
    pub hash: Option<Vec<u8>>,
}

/// Which rows to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this user.
    pub user_id: Option<UserId>,
    /// Those of this kind.
    pub kind: Option<String>,
    /// Not before then.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

/// Adds a row.
pub fn insert(tx: &Transaction<'_>, new: &NewAuditEvent) -> Result<()> {
    let NewAuditEvent { told, origin, .. } = new;
    tx.execute(
        "INSERT INTO audit_events (at, kind, outcome, actor, actor_id, user_id, session_id, api_key_id, details, repeats,
         request_id, ip_address, user_agent, nonce, client_digest, mac)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        &[
            told.at.into(),
            told.kind.as_str().into(),
            told.outcome.as_str().into(),
            told.actor.as_deref().into(),
            told.actor_id.into(),
            told.user_id.into(),
            told.session_id.into(),
            told.api_key_id.into(),
            told.details.as_str().into(),
            told.repeats.into(),
            told.request_id.as_deref().into(),
            origin.ip_address.as_deref().into(),
            origin.user_agent.as_deref().into(),
            origin.nonce.as_deref().into(),
            new.client_digest.as_slice().into(),
            new.mac.as_slice().into(),
        ],
    )
    .map(drop)
}

/// Up to `limit` rows with ids below `before`, the newest first.
pub fn list(
    reader: &Reader<'_>,
    filter: &Filter,
    before: i64,
    limit: u32,
) -> Result<Vec<AuditEvent>> {
    let (since, until) = (
        filter.since.unwrap_or(Timestamp::from_millis(i64::MIN)),
        filter.until.unwrap_or(Timestamp::from_millis(i64::MAX)),
    );
    let kind = filter.kind.as_deref();
    // Apart, so that each uses its index.
    match filter.user_id {
        Some(user_id) => reader.all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM audit_events WHERE user_id = $1 AND id < $2 AND at >= $3 AND at < $4 AND kind = COALESCE($5, kind)
                 ORDER BY id DESC LIMIT $6"
            ),
            &[
                user_id.into(),
                before.into(),
                since.into(),
                until.into(),
                kind.into(),
                limit.into(),
            ],
            read,
        ),
        None => reader.all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM audit_events WHERE id < $1 AND at >= $2 AND at < $3 AND kind = COALESCE($4, kind)
                 ORDER BY id DESC LIMIT $5"
            ),
            &[
                before.into(),
                since.into(),
                until.into(),
                kind.into(),
                limit.into(),
            ],
            read,
        ),
    }
}

/// Up to `limit` rows with ids above `after`, in the order of their ids. A row that cannot be read is a failure of its own:
/// its bytes may have been changed.
pub fn list_all(
    reader: &Reader<'_>,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, Result<AuditEvent>)>> {
    reader.all(
        concat!(
            "SELECT ",
            columns!(),
            " FROM audit_events WHERE id > $1 ORDER BY id LIMIT $2"
        ),
        &[after.into(), limit.into()],
        |row| Ok((row.get(0)?, read(row))),
    )
}

/// Up to `limit` rows that are not sealed, with ids above `after`, in the order of their ids.
pub fn list_unsealed(
    reader: &Reader<'_>,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, Result<AuditEvent>)>> {
    reader.all(
        concat!(
            "SELECT ",
            columns!(),
            " FROM audit_events WHERE position IS NULL AND id > $1 ORDER BY id LIMIT $2"
        ),
        &[after.into(), limit.into()],
        |row| Ok((row.get(0)?, read(row))),
    )
}

/// Up to `limit` places of the chain behind `after`, in order.
pub fn list_links(reader: &Reader<'_>, after: i64, limit: u32) -> Result<Vec<Link>> {
    reader.all(
        "SELECT position, id, previous, hash FROM audit_events WHERE position > $1 ORDER BY position LIMIT $2",
        &[after.into(), limit.into()],
        |row| {
            Ok(Link {
                position: row.next()?,
                id: row.next()?,
                previous: row.next()?,
                hash: row.next()?,
            })
        },
    )
}

/// The ids of rows that have the client digest, and so the nonce, of a row before them: they are copies.
pub fn list_copies(reader: &Reader<'_>) -> Result<Vec<i64>> {
    reader.all(
        "SELECT id FROM audit_events e WHERE client_digest IN
         (SELECT client_digest FROM audit_events GROUP BY client_digest HAVING count(*) > 1)
         AND EXISTS (SELECT 1 FROM audit_events f WHERE f.client_digest = e.client_digest AND f.id < e.id) ORDER BY id",
        &[],
        |row| row.next(),
    )
}

/// Gives a row its place in the chain; `false` if it has one.
pub fn seal(tx: &Transaction<'_>, link: &Link) -> Result<bool> {
    let sealed = tx.execute(
        "UPDATE audit_events SET position = $1, previous = $2, hash = $3 WHERE id = $4 AND position IS NULL",
        &[
            link.position.into(),
            link.previous.as_deref().into(),
            link.hash.as_deref().into(),
            link.id.into(),
        ],
    )?;
    Ok(sealed == 1)
}

/// Up to `limit` rows at the start of the chain, as place, hash and time.
pub fn list_oldest(
    reader: &Reader<'_>,
    after: i64,
    limit: u32,
) -> Result<Vec<(i64, Vec<u8>, Timestamp)>> {
    reader.all(
        "SELECT position, hash, at FROM audit_events WHERE position > $1 ORDER BY position LIMIT $2",
        &[after.into(), limit.into()],
        |row| Ok((row.next()?, row.next()?, row.next()?)),
    )
}

/// Deletes the rows up to a place in the chain; returns how many.
pub fn delete_until(tx: &Transaction<'_>, position: i64) -> Result<usize> {
    tx.execute(
        "DELETE FROM audit_events WHERE position <= $1",
        &[position.into()],
    )
}

/// Deletes up to `limit` rows that were not sealed and are older than `before`; returns how many.
pub fn delete_unsealed(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM audit_events WHERE id IN
         (SELECT id FROM audit_events WHERE position IS NULL AND at <= $1 LIMIT $2)",
        &[before.into(), limit.into()],
    )
}

/// Up to `limit` deletions of accounts by `before` whose events still have addresses and user agents, as id and user.
pub fn list_to_erase(
    reader: &Reader<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<(i64, UserId)>> {
    reader.all(
        "SELECT id, user_id FROM audit_events
         WHERE kind = 'account_deleted' AND nonce IS NOT NULL AND at <= $1 AND user_id IS NOT NULL LIMIT $2",
        &[before.into(), limit.into()],
        |row| Ok((row.next()?, row.next()?)),
    )
}

/// Erases addresses and user agents from up to `limit` events of a user, except the row `last`; returns how many.
pub fn erase_origins(
    tx: &Transaction<'_>,
    user_id: UserId,
    last: i64,
    limit: u32,
) -> Result<usize> {
    tx.execute(
        "UPDATE audit_events SET ip_address = NULL, user_agent = NULL, nonce = NULL WHERE id IN
         (SELECT id FROM audit_events WHERE user_id = $1 AND nonce IS NOT NULL AND id <> $2 LIMIT $3)",
        &[user_id.into(), last.into(), limit.into()],
    )
}

/// Erases address and user agent of one row.
pub fn erase_origin(tx: &Transaction<'_>, id: i64) -> Result<bool> {
    let erased = tx.execute(
        "UPDATE audit_events SET ip_address = NULL, user_agent = NULL, nonce = NULL WHERE id = $1",
        &[id.into()],
    )?;
    Ok(erased == 1)
}

/// Whether an event records that the account of this user was deleted.
pub fn records_deletion(reader: &Reader<'_>, user_id: UserId) -> Result<bool> {
    reader.exists(
        "SELECT 1 FROM audit_events WHERE user_id = $1 AND kind = 'account_deleted' LIMIT 1",
        &[user_id.into()],
    )
}

fn read(row: &Row<'_>) -> Result<AuditEvent> {
    Ok(AuditEvent {
        id: row.get(0)?,
        event: NewAuditEvent {
            told: Told {
                at: row.get(1)?,
                kind: row.get(2)?,
                outcome: row.get(3)?,
                actor: row.get(4)?,
                actor_id: row.get(5)?,
                user_id: row.get(6)?,
                session_id: row.get(7)?,
                api_key_id: row.get(8)?,
                details: row.get(9)?,
                repeats: row.get(10)?,
                request_id: row.get(11)?,
            },
            origin: Origin {
                ip_address: row.get(12)?,
                user_agent: row.get(13)?,
                nonce: row.get(14)?,
            },
            client_digest: row.get(15)?,
            mac: row.get(16)?,
        },
        position: row.get(17)?,
        previous: row.get(18)?,
        hash: row.get(19)?,
    })
}
