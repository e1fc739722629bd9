//! Deletes old rows of the audit trail from the start of the chain, which then starts with a signed mark, and erases the
//! clients of deleted accounts.

use serde::Serialize;

use super::chain::Keys;
use super::sealing::FOREIGN_ENDS;
use crate::config;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::store::audit_chain::{self, Ends};
use crate::store::{Database, audit_events};

/// The most rows of one transaction.
const BATCH: u32 = 500;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trimmed {
    /// How many events were deleted as old.
    pub audit_events: usize,
    /// Of how many events address and user agent were erased.
    pub audit_clients: usize,
}

/// Deletes and erases what is due.
///
/// # Errors
/// Those of the database; ends of the chain that are not signed under a known key base.
pub async fn trim(
    database: &Database,
    keys: &Keys,
    settings: &config::Audit,
    now: Timestamp,
) -> Result<Trimmed> {
    let audit_clients = erase(database, now - settings.keep_clients).await?;
    let before = now - settings.retention;
    let mut audit_events = cut(database, keys, before, now).await?;
    loop {
        let delete = database.count(move |tx| audit_events::delete_unsealed(tx, before, BATCH));
        let deleted = delete.await?;
        audit_events += deleted;
        if deleted < BATCH as usize {
            break;
        }
    }
    Ok(Trimmed {
        audit_events,
        audit_clients,
    })
}

/// Deletes from the start of the chain until a row is younger.
async fn cut(database: &Database, keys: &Keys, before: Timestamp, now: Timestamp) -> Result<usize> {
    let mut deleted = 0;
    loop {
        let read = database.read(|reader| {
            let Some(found) = audit_chain::find(reader)? else {
                return Ok(None);
            };
            let start = found.ends.start_position;
            let oldest = audit_events::list_oldest(reader, start, BATCH)?;
            Ok(Some((found, oldest)))
        });
        let Some((found, oldest)) = read.await? else {
            return Ok(deleted);
        };
        let old = oldest.iter().take_while(|(.., at)| *at <= before);
        let Some((position, hash, _)) = old.last() else {
            return Ok(deleted);
        };
        if !keys.signed(&found, now) {
            return Err(Error::internal(FOREIGN_ENDS));
        }
        let position = *position;
        let new = keys.sign(Ends {
            start_position: position,
            start_hash: hash.clone(),
            ..found.ends.clone()
        });
        let write = database.count(move |tx| match audit_chain::replace(tx, &found, &new)? {
            true => audit_events::delete_until(tx, position).map(Some),
            false => Ok(None),
        });
        match write.await? {
            Some(rows) => deleted += rows,
            // Another node was first.
            None => return Ok(deleted),
        }
    }
}

/// Erases the clients of accounts that were deleted by `before`. The row of the deletion is the last: it marks the account
/// as done.
async fn erase(database: &Database, before: Timestamp) -> Result<usize> {
    let mut erased = 0;
    loop {
        let due = database
            .read(move |reader| audit_events::list_to_erase(reader, before, BATCH))
            .await?;
        if due.is_empty() {
            return Ok(erased);
        }
        for (deletion, user) in due {
            loop {
                let batch = database
                    .count(move |tx| audit_events::erase_origins(tx, user, deletion, BATCH));
                let rows = batch.await?;
                erased += rows;
                if rows < BATCH as usize {
                    break;
                }
            }
            let last = database.count(move |tx| audit_events::erase_origin(tx, deletion));
            erased += usize::from(last.await?);
        }
    }
}
