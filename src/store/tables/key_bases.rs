//! The `key_bases` table: the bases that nodes sign with, by names that are derived from them, and since when each signs
//! nothing.

use std::time::Duration;

use crate::crypto::key_ring::BaseNames;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::store::{Reader, Transaction};

/// How long nodes with a retired base may start: while the new one is rolled out, or when that is undone. Later, nothing
/// that the base signed is valid any more, and a node that signs with it was forgotten.
const ROLLOUT: Duration = Duration::from_secs(24 * 3600);

/// What is known of a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No node has signed with it.
    Unknown,
    /// It signs.
    Signs,
    /// It signs nothing since then.
    Retired(Timestamp),
}

/// The state of the base of this name.
pub fn state(reader: &Reader<'_>, name: &str) -> Result<State> {
    let found = reader.one(
        "SELECT retired_at FROM key_bases WHERE name = $1",
        &[name.into()],
        |row| {
            let retired_at: Option<Timestamp> = row.get(0)?;
            Ok(retired_at.map_or(State::Signs, State::Retired))
        },
    )?;
    Ok(found.unwrap_or(State::Unknown))
}

/// The names of the bases that sign.
pub fn signing(reader: &Reader<'_>) -> Result<Vec<String>> {
    reader.all(
        "SELECT name FROM key_bases WHERE retired_at IS NULL",
        &[],
        |row| row.next(),
    )
}

/// Whether others sign with bases that a node with these does not have, so that it would refuse what they sign. While a
/// new base is rolled out, nodes with the one before may start.
pub fn are_foreign(reader: &Reader<'_>, names: &BaseNames, now: Timestamp) -> Result<bool> {
    let signing = signing(reader)?;
    if signing.is_empty() || signing.iter().any(|name| names.contains(name)) {
        return Ok(false);
    }
    Ok(match state(reader, &names.current)? {
        State::Retired(at) => now >= at + ROLLOUT,
        State::Unknown | State::Signs => true,
    })
}

/// What [`record`] would return, if it would change nothing.
pub fn recorded(
    reader: &Reader<'_>,
    names: &BaseNames,
    now: Timestamp,
) -> Result<Option<Vec<Option<Timestamp>>>> {
    if state(reader, &names.current)? != State::Signs {
        return Ok(None);
    }
    let times = names
        .previous
        .iter()
        .map(|name| match state(reader, name)? {
            State::Unknown => Ok(Some(None)),
            State::Retired(at) if at <= now => Ok(Some(Some(at))),
            State::Retired(_) | State::Signs => Ok(None),
        });
    times.collect()
}

/// Records the bases of a node that starts. Returns since when each previous one signs nothing; `None` for one that is
/// still to sign: it was listed before any node signs with it, so that all verify it by then.
pub fn record(
    tx: &Transaction<'_>,
    names: &BaseNames,
    now: Timestamp,
) -> Result<Vec<Option<Timestamp>>> {
    let has_signed = state(tx, &names.current)? == State::Signs;
    if !has_signed {
        tx.execute(
            "INSERT INTO key_bases (name, retired_at) VALUES ($1, NULL)
             ON CONFLICT (name) DO UPDATE SET retired_at = NULL",
            &[names.current.as_str().into()],
        )?;
    }
    let times = names.previous.iter().map(|name| match state(tx, name)? {
        State::Unknown if has_signed => Ok(None),
        _ => retire(tx, name, now).map(Some),
    });
    times.collect()
}

/// Retires all bases but those of this node; returns how many signed until now.
pub fn retire_foreign(tx: &Transaction<'_>, names: &BaseNames, now: Timestamp) -> Result<usize> {
    let signing = signing(tx)?;
    let foreign = signing.iter().filter(|name| !names.contains(name));
    let retired = foreign.map(|name| retire(tx, name, now));
    Ok(retired.collect::<Result<Vec<_>>>()?.len())
}

/// Records that the base of this name signs nothing from `now` on, unless it has not for longer; returns since when.
fn retire(tx: &Transaction<'_>, name: &str, now: Timestamp) -> Result<Timestamp> {
    // A time that is not reached yet is of a clock that was ahead.
    tx.execute(
        "INSERT INTO key_bases (name, retired_at) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET retired_at = excluded.retired_at
         WHERE key_bases.retired_at IS NULL OR excluded.retired_at < key_bases.retired_at",
        &[name.into(), now.into()],
    )?;
    Ok(match state(tx, name)? {
        State::Retired(at) => at,
        State::Unknown | State::Signs => now,
    })
}
