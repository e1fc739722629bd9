//! Seals rows of the audit trail: gives each the next place in the chain, in batches.
//!
//! Every node does it, and there is no leader: a batch counts only if the ends of the chain are still those that it starts
//! from, which one conditional statement decides. A place is given when a row is seen, so a row that is committed late is
//! sealed late, and none is missed.
//!
//! # Threats
//! - a row that another program added: it has no MAC and is not sealed
//! - ends that another program changed, or removed to start over: nothing is sealed behind them

use super::chain::{Keys, empty, hash};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::store::audit_chain::{self, Ends, SignedEnds};
use crate::store::audit_events::{self, AuditEvent, Link};
use crate::store::{Database, Transaction};

/// The rows of one transaction.
const BATCH: u32 = 500;

/// Why nothing is sealed.
pub(super) const FOREIGN_ENDS: &str = "the ends of the audit trail are not signed under a key base of this server: check it \
    with `cloakroom audit verify`; after the key base was lost or replaced, `cloakroom secret adopt` signs them again";

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// How many rows were sealed.
    pub rows: usize,
    /// How many were left, since no server or command with a known key base added them.
    pub unknown: usize,
}

/// Seals all rows that are committed, and signs the ends under the current key base.
///
/// # Errors
/// Those of the database; ends that are not signed under a known key base.
pub async fn seal(database: &Database, keys: &Keys, now: Timestamp) -> Result<Sealed> {
    let (mut sealed, mut after) = (Sealed::default(), 0);
    loop {
        let read = database.read(move |reader| {
            let found = audit_chain::find(reader)?;
            // Ends that were removed must not let the chain start over.
            let is_headless =
                found.is_none() && !audit_events::list_links(reader, i64::MIN, 1)?.is_empty();
            let rows = audit_events::list_unsealed(reader, after, BATCH)?;
            Ok((found, is_headless, rows))
        });
        let (found, is_headless, rows) = read.await?;
        let ends = match &found {
            None if is_headless => return Err(Error::internal(FOREIGN_ENDS)),
            None => empty(),
            Some(signed) if keys.signed(signed, now) => signed.ends.clone(),
            Some(_) => return Err(Error::internal(FOREIGN_ENDS)),
        };
        let is_outdated = found
            .as_ref()
            .is_some_and(|signed| signed.key_base != keys.current());
        let count = rows.len();
        after = rows.last().map_or(after, |(id, _)| *id);
        let ours: Vec<AuditEvent> = rows
            .into_iter()
            .filter_map(|(_, row)| row.ok())
            .filter(|row| keys.added(&row.event, now))
            .collect();
        sealed.unknown += count - ours.len();
        if !ours.is_empty() || is_outdated {
            let (ends, links) = place(ends, &ours);
            let new = keys.sign(ends);
            let write = database.count(move |tx| append(tx, found.as_ref(), &new, &links));
            if !write.await? {
                // Another node was first.
                return Ok(sealed);
            }
            sealed.rows += ours.len();
        }
        if count < BATCH as usize {
            return Ok(sealed);
        }
    }
}

/// Signs the ends under the current key base although a key base that is not known signed them: the operator vouches for
/// them.
///
/// # Errors
/// Those of the database.
pub fn adopt(tx: &Transaction<'_>, keys: &Keys) -> Result<()> {
    if let Some(found) = audit_chain::find(tx)? {
        let new = keys.sign(found.ends.clone());
        audit_chain::replace(tx, &found, &new)?;
    }
    Ok(())
}

/// The places of rows behind the ends, and the ends with them.
fn place(mut ends: Ends, rows: &[AuditEvent]) -> (Ends, Vec<Link>) {
    let mut links = Vec::with_capacity(rows.len());
    for row in rows {
        let position = ends.position + 1;
        let hash = hash(&ends.hash, position, row.id, &row.event).to_vec();
        links.push(Link {
            position,
            id: row.id,
            previous: Some(std::mem::replace(&mut ends.hash, hash.clone())),
            hash: Some(hash),
        });
        ends.position = position;
    }
    (ends, links)
}

/// Puts the rows behind the old ends; `false` if these are not the ends any more.
fn append(
    tx: &Transaction<'_>,
    old: Option<&SignedEnds>,
    new: &SignedEnds,
    links: &[Link],
) -> Result<bool> {
    let is_next = match old {
        Some(old) => audit_chain::replace(tx, old, new)?,
        None => audit_chain::insert(tx, new)?,
    };
    if is_next {
        for link in links {
            if !audit_events::seal(tx, link)? {
                return Err(Error::internal(
                    "a row of the audit trail was sealed by another program",
                ));
            }
        }
    }
    Ok(is_next)
}
