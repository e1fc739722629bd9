//! Verifies the audit trail: names each row that was changed, moved, added, copied or erased by another program, and each
//! place that is missing.
//!
//! Each row is read by its id and compared with its own hash. Then the chain is followed by its places. Both read pages, so
//! that memory does not grow with the trail, and servers go on meanwhile.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::str::FromStr;

use super::chain::{Keys, has_its_digest, has_its_hash};
use crate::crypto::hex;
use crate::domain::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::store::audit_chain::{self, Ends};
use crate::store::audit_events::{self, AuditEvent};
use crate::store::{Database, Reader};

const PAGE: u32 = 1000;

/// A place in the chain and its hash, to be kept where an attacker with the database and its keys cannot change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The place.
    pub position: i64,
    /// The hash, in hexadecimal digits.
    pub hash: String,
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.position, self.hash)
    }
}

impl FromStr for Anchor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.trim().split_once(':').and_then(|(position, hash)| {
            let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hash.then_some(Self {
                position: position.parse().ok()?,
                hash: hash.to_ascii_lowercase(),
            })
        });
        parsed.ok_or("not an anchor as `cloakroom audit head` prints it")
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The row cannot be read: its bytes were changed.
    Unreadable { id: i64 },
    /// The row was changed.
    Changed { id: i64 },
    /// What the row tells is as it was added, but its id, its place or its hashes were changed.
    Moved { id: i64 },
    /// The row was added by another program, or changed before it was sealed.
    Added { id: i64 },
    /// The row is a copy of another one.
    Copied { id: i64 },
    /// Address and user agent were erased, and the account was not deleted.
    Erased { id: i64 },
    /// The rows of these places are missing.
    Missing { first: i64, last: i64 },
    /// The row does not follow the one before: one of the two was changed and hashed again.
    Broken { position: i64 },
    /// The ends of the chain are missing or not signed under a known key base.
    Ends,
    /// The last row is not the one that the ends name.
    Last { position: i64 },
    /// The place of an anchor has another hash, or none.
    Anchor { position: i64 },
    /// The row of an anchor was deleted as old, so that it cannot be compared.
    OldAnchor { position: i64 },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { id } => write!(f, "row {id} cannot be read"),
            Self::Changed { id } => write!(f, "row {id} was changed"),
            Self::Moved { id } => {
                write!(f, "row {id} was moved: its id, place or hash was changed")
            }
            Self::Added { id } => write!(
                f,
                "row {id} was added by another program, or changed before it was sealed"
            ),
            Self::Copied { id } => write!(f, "row {id} is a copy of another row"),
            Self::Erased { id } => write!(
                f,
                "row {id} has no address any more, although the account was not deleted"
            ),
            Self::Missing { first, last } if first == last => {
                write!(f, "the row at place {first} is missing")
            }
            Self::Missing { first, last } => {
                write!(f, "the rows at places {first} to {last} are missing")
            }
            Self::Broken { position } => write!(
                f,
                "the row at place {position}, or the one before, was changed and hashed again"
            ),
            Self::Ends => f.write_str(
                "the ends of the chain are missing, or not signed under a known key base",
            ),
            Self::Last { position } => {
                write!(
                    f,
                    "the row at place {position} is not the last one that was sealed"
                )
            }
            Self::Anchor { position } => {
                write!(
                    f,
                    "the chain has another row at place {position} than the anchor"
                )
            }
            Self::OldAnchor { position } => write!(
                f,
                "the row of the anchor, at place {position}, was deleted as old: use a later anchor"
            ),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many rows were read.
    pub rows: u64,
    /// How many of them are not sealed yet.
    pub unsealed: u64,
    /// The place up to which rows were deleted as old.
    pub start: i64,
    /// The faults, in order.
    pub faults: BTreeSet<Fault>,
}

/// The end of the chain; `None` before anything was sealed.
///
/// # Errors
/// Those of the database; ends that are not signed under a known key base.
pub async fn head(database: &Database, keys: &Keys, now: Timestamp) -> Result<Option<Anchor>> {
    let found = database.read(audit_chain::find).await?;
    let Some(signed) = found else {
        return Ok(None);
    };
    if !keys.signed(&signed, now) {
        return Err(Error::internal(Fault::Ends.to_string()));
    }
    Ok(Some(Anchor {
        position: signed.ends.position,
        hash: hex(&signed.ends.hash),
    }))
}

/// Verifies all rows, and that the chain has an earlier anchor.
///
/// # Errors
/// Those of the database.
pub async fn verify(
    database: &Database,
    keys: &Keys,
    anchor: Option<&Anchor>,
    now: Timestamp,
) -> Result<Verified> {
    let mut verified = Verified::default();
    let suspects = check_rows(database, keys, now, &mut verified).await?;
    follow(database, keys, anchor, now, &suspects, &mut verified).await?;
    for id in database.read(audit_events::list_copies).await? {
        verified.faults.insert(Fault::Copied { id });
    }
    Ok(verified)
}

/// Compares each row with its own hash, by id; returns the places of those that do not have it.
async fn check_rows(
    database: &Database,
    keys: &Keys,
    now: Timestamp,
    verified: &mut Verified,
) -> Result<BTreeSet<i64>> {
    let (mut suspects, mut after) = (BTreeSet::new(), i64::MIN);
    loop {
        let page = database.read(move |reader| {
            let rows = audit_events::list_all(reader, after, PAGE)?;
            let deleted = deleted_users(reader, &rows)?;
            Ok((rows, deleted))
        });
        let (rows, deleted) = page.await?;
        let Some((last, _)) = rows.last() else {
            return Ok(suspects);
        };
        after = *last;
        for (id, row) in rows {
            verified.rows += 1;
            let Ok(row) = row else {
                verified.faults.insert(Fault::Unreadable { id });
                continue;
            };
            let fault = match row.position {
                None if row.hash.is_some() => Some(Fault::Moved { id }),
                None => {
                    verified.unsealed += 1;
                    (!keys.added(&row.event, now)).then_some(Fault::Added { id })
                }
                Some(_) if !has_its_digest(&row.event) => Some(Fault::Changed { id }),
                Some(_) if has_its_hash(&row) => None,
                Some(_) if keys.added(&row.event, now) => Some(Fault::Moved { id }),
                Some(_) => Some(Fault::Changed { id }),
            };
            if fault.is_some() {
                suspects.extend(row.position);
            }
            let user = row.event.told.user_id;
            let is_erased = row.event.origin.nonce.is_none();
            if is_erased && fault.is_none() && user.is_none_or(|user| !deleted.contains(&user)) {
                verified.faults.insert(Fault::Erased { id });
            }
            verified.faults.extend(fault);
        }
    }
}

/// The users of erased rows whose deletion is recorded.
fn deleted_users(
    reader: &Reader<'_>,
    rows: &[(i64, Result<AuditEvent>)],
) -> Result<HashSet<UserId>> {
    let erased = rows.iter().filter_map(|(_, row)| {
        let event = &row.as_ref().ok()?.event;
        event.told.user_id.filter(|_| event.origin.nonce.is_none())
    });
    let mut deleted = HashSet::new();
    for user in erased.collect::<HashSet<_>>() {
        if audit_events::records_deletion(reader, user)? {
            deleted.insert(user);
        }
    }
    Ok(deleted)
}

/// Follows the chain from its start to its end.
async fn follow(
    database: &Database,
    keys: &Keys,
    anchor: Option<&Anchor>,
    now: Timestamp,
    suspects: &BTreeSet<i64>,
    verified: &mut Verified,
) -> Result<()> {
    let Some(signed) = database.read(audit_chain::find).await? else {
        let links = database.read(|reader| audit_events::list_links(reader, i64::MIN, 1));
        if !links.await?.is_empty() {
            verified.faults.insert(Fault::Ends);
        }
        if let Some(Anchor { position, .. }) = anchor {
            let position = *position;
            verified.faults.insert(Fault::Anchor { position });
        }
        return Ok(());
    };
    if !keys.signed(&signed, now) {
        verified.faults.insert(Fault::Ends);
    }
    let ends = signed.ends;
    let mut hash_at_anchor = None;
    let mut note = |position: i64, hash: &Option<Vec<u8>>| {
        if anchor.is_some_and(|anchor| anchor.position == position) {
            hash_at_anchor = hash.as_deref().map(hex);
        }
    };
    let (mut position, mut hash) = (ends.start_position, Some(ends.start_hash.clone()));
    note(position, &hash);
    let (mut after, mut missing) = (i64::MIN, Vec::new());
    'chain: loop {
        let page = database.read(move |reader| audit_events::list_links(reader, after, PAGE));
        let page = page.await?;
        let Some(last) = page.last() else {
            break;
        };
        after = last.position;
        for link in page {
            if link.position <= ends.start_position {
                verified.faults.insert(Fault::Added { id: link.id });
                continue;
            }
            if link.position > ends.position {
                break 'chain;
            }
            if link.position > position + 1 {
                missing.push((position + 1, link.position - 1));
            } else if link.previous != hash
                && !suspects.contains(&link.position)
                && !suspects.contains(&position)
            {
                let position = link.position;
                verified.faults.insert(Fault::Broken { position });
            }
            (position, hash) = (link.position, link.hash);
            note(position, &hash);
        }
    }
    if position < ends.position {
        missing.push((position + 1, ends.position));
    } else if hash.as_ref() != Some(&ends.hash) && !suspects.contains(&position) {
        verified.faults.insert(Fault::Last { position });
    }
    let start = find_added(database, &ends, verified).await?;
    // Rows that were deleted as old meanwhile are not missing.
    for (first, last) in missing {
        let first = first.max(start + 1);
        if first <= last {
            verified.faults.insert(Fault::Missing { first, last });
        }
    }
    verified.start = start;
    if let Some(anchor) = anchor {
        let position = anchor.position;
        if position < ends.start_position {
            verified.faults.insert(Fault::OldAnchor { position });
        } else if hash_at_anchor.as_ref() != Some(&anchor.hash) {
            verified.faults.insert(Fault::Anchor { position });
        }
    }
    Ok(())
}

/// Names rows behind the end of the chain. Servers may have sealed some meanwhile: those are behind the ends that were
/// read before, and not behind those that are read now. Returns where the chain starts now.
async fn find_added(database: &Database, before: &Ends, verified: &mut Verified) -> Result<i64> {
    let end = before.position;
    let read = database.read(move |reader| {
        let links = audit_events::list_links(reader, end, PAGE)?;
        Ok((links, audit_chain::find(reader)?))
    });
    let (links, signed) = read.await?;
    let ends = signed.map_or_else(|| before.clone(), |signed| signed.ends);
    for link in links.iter().filter(|link| link.position > ends.position) {
        verified.faults.insert(Fault::Added { id: link.id });
    }
    Ok(ends.start_position)
}
