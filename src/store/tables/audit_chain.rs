//! The `audit_chain` table: one row, the ends of the chain of the audit trail.

use crate::domain::error::Result;
use crate::store::{Reader, Transaction};

/// Both ends of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The place of the last row that was deleted as old; 0 if none was.
    pub start_position: i64,
    /// Its hash; zeros if none was.
    pub start_hash: Vec<u8>,
    /// The place of the last row.
    pub position: i64,
    /// Its hash.
    pub hash: Vec<u8>,
}

/// The ends with their signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedEnds {
    /// The ends.
    pub ends: Ends,
    /// The name of the key base.
    pub key_base: String,
    /// The MAC of the ends under a key derived from it.
    pub mac: Vec<u8>,
}

/// The ends; `None` before anything was sealed.
pub fn find(reader: &Reader<'_>) -> Result<Option<SignedEnds>> {
    reader.one(
        "SELECT start_position, start_hash, position, hash, key_base, mac FROM audit_chain WHERE id = 1",
        &[],
        |row| {
            Ok(SignedEnds {
                ends: Ends {
                    start_position: row.next()?,
                    start_hash: row.next()?,
                    position: row.next()?,
                    hash: row.next()?,
                },
                key_base: row.next()?,
                mac: row.next()?,
            })
        },
    )
}

/// Adds the first ends; `false` if there are ends.
pub fn insert(tx: &Transaction<'_>, new: &SignedEnds) -> Result<bool> {
    let inserted = tx.execute(
        "INSERT INTO audit_chain (id, start_position, start_hash, position, hash, key_base, mac)
         VALUES (1, $1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
        &[
            new.ends.start_position.into(),
            new.ends.start_hash.as_slice().into(),
            new.ends.position.into(),
            new.ends.hash.as_slice().into(),
            new.key_base.as_str().into(),
            new.mac.as_slice().into(),
        ],
    )?;
    Ok(inserted == 1)
}

/// Replaces the ends; `false` if they are not those any more: another node was first.
pub fn replace(tx: &Transaction<'_>, old: &SignedEnds, new: &SignedEnds) -> Result<bool> {
    let replaced = tx.execute(
        "UPDATE audit_chain SET start_position = $1, start_hash = $2, position = $3, hash = $4, key_base = $5, mac = $6
         WHERE id = 1 AND mac = $7",
        &[
            new.ends.start_position.into(),
            new.ends.start_hash.as_slice().into(),
            new.ends.position.into(),
            new.ends.hash.as_slice().into(),
            new.key_base.as_str().into(),
            new.mac.as_slice().into(),
            old.mac.as_slice().into(),
        ],
    )?;
    Ok(replaced == 1)
}
