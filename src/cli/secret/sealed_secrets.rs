//! The secrets in the database that a key base seals: they are lost with a base that is dropped before they are sealed
//! under another one.

use crate::accounts::second_factor::seal_again;
use crate::cli::{CommandError, database};
use crate::config::Settings;
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Clock;
use crate::store::{Database, key_bases, schema_version, totp_factors};

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
fn open(settings: &Settings) -> Result<Option<(Database, KeyRing)>, CommandError> {
    let has_database = match settings.database.url {
        Some(_) => schema_version(&settings.database)? > 0,
        None => settings.database.path.exists(),
    };
    match (has_database, KeyRing::find(settings)?) {
        (true, Some(key_ring)) => Ok(Some((database::open(settings)?, key_ring))),
        _ => Ok(None),
    }
}
