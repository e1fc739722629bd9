//! What the database has of a key base: the secrets that it seals, which are lost with a base that is dropped before they
//! are sealed under another one, and events about it.

use crate::accounts::second_factor::seal_again;
use crate::audit::{Entry, Event, Keys, Source, seal};
use crate::cli::CommandError;
use crate::cli::database::{self, Opened};
use crate::cli::output::note;
use crate::config::Settings;
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Clock;
use crate::store::{audit_chain, key_bases, schema_version, totp_factors};

/// How many secrets the previous key bases seal; 0 without a database. A base that is not listed is lost already.
pub(super) fn sealed_by_previous(settings: &Settings) -> Result<i64, CommandError> {
    count(settings, |key_ring, base| {
        key_ring.names().previous.iter().any(|name| name == base)
    })
}

/// How many secrets the current and the previous key bases seal; 0 without a database.
pub(super) fn sealed_by_any(settings: &Settings) -> Result<i64, CommandError> {
    count(settings, |key_ring, base| key_ring.names().contains(base))
}

/// Seals under the current key base what the previous ones seal. A server that runs with one of these seals nothing more.
pub(super) fn seal_all(settings: &Settings) -> Result<(), CommandError> {
    if let Some((database, key_ring)) = open(settings)? {
        let (names, now) = (key_ring.names(), Clock::System.now());
        database::wait_for(async {
            database
                .write(move |tx| key_bases::record(tx, &names, now).map(drop))
                .await?;
            Ok(seal_again(&database, &key_ring, || false).await?)
        })?;
    }
    Ok(())
}

/// Records what was done to the key base, which needs no database: without one, it is logged alone.
pub(super) fn record(settings: &Settings, event: Event) {
    let added = open(settings).and_then(|opened| {
        let Some((database, _)) = opened else {
            return Ok(false);
        };
        let event = event.clone();
        database::wait_for(async {
            let record = database.commit(move |change| {
                change.record(event.clone());
                Ok(())
            });
            record.await?;
            Ok(true)
        })
    });
    match added {
        Ok(true) => return,
        Ok(false) => {}
        Err(failure) => note(&format!("the audit trail does not have this: {failure}")),
    }
    Entry::new(&Source::OPERATOR, event).write();
}

/// Seals the audit trail under the key base of this ring that signs, which replaces one that was leaked.
pub(super) fn sign_trail(settings: &Settings, key_ring: &KeyRing) -> Result<(), CommandError> {
    if let Some((database, _)) = open(settings)? {
        let keys = Keys::new(key_ring);
        database::wait_for(async {
            seal(&database, &keys, Clock::System.now()).await?;
            Ok(())
        })?;
    }
    Ok(())
}

/// Whether a previous key base signs the ends of the audit trail.
pub(super) fn previous_signs_trail(settings: &Settings) -> Result<bool, CommandError> {
    let Some((database, key_ring)) = open(settings)? else {
        return Ok(false);
    };
    let found = database::wait_for(async { Ok(database.read(audit_chain::find).await?) })?;
    let previous = key_ring.names().previous;
    Ok(found.is_some_and(|signed| previous.contains(&signed.key_base)))
}

fn count(
    settings: &Settings,
    counts: impl Fn(&KeyRing, &str) -> bool,
) -> Result<i64, CommandError> {
    let Some((database, key_ring)) = open(settings)? else {
        return Ok(0);
    };
    let sealed =
        database::wait_for(async { Ok(database.read(totp_factors::count_by_key_base).await?) })?;
    let sealed = sealed.iter().filter(|(base, _)| counts(&key_ring, base));
    Ok(sealed.map(|(_, count)| count).sum())
}

/// `None` where there is no database yet, or no base.
fn open(settings: &Settings) -> Result<Option<(Opened<'_>, KeyRing)>, CommandError> {
    let has_database = match settings.database.url {
        Some(_) => schema_version(&settings.database)? > 0,
        None => settings.database.path.exists(),
    };
    match (has_database, KeyRing::find(settings)?) {
        (true, Some(key_ring)) => Ok(Some((database::open(settings)?, key_ring))),
        _ => Ok(None),
    }
}
