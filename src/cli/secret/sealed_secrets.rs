//! The secrets in the database that are sealed under a key base: a base that is dropped before they are sealed anew takes
//! them with it.

use crate::accounts::second_factor::seal_again;
use crate::cli::{CommandError, database};
use crate::config::Settings;
use crate::crypto::key_ring::KeyRing;
use crate::store::{Database, schema_version, totp_factors};

/// How many secrets are sealed under another base than the current one; 0 without a database.
pub(super) fn sealed_otherwise(settings: &Settings) -> Result<i64, CommandError> {
    let Some((database, key_ring)) = open(settings)? else {
        return Ok(0);
    };
    let current = key_ring.names().current;
    database::wait_for(async {
        let count =
            database.read(move |reader| totp_factors::count_sealed_otherwise(reader, &current));
        Ok(count.await?)
    })
}

/// How many secrets there are; 0 without a database.
pub(super) fn count(settings: &Settings) -> Result<i64, CommandError> {
    let Some((database, _)) = open(settings)? else {
        return Ok(0);
    };
    database::wait_for(async {
        // No base has an empty name.
        let count = database.read(|reader| totp_factors::count_sealed_otherwise(reader, ""));
        Ok(count.await?)
    })
}

/// Seals every secret under the current base; returns how many it could not open.
pub(super) fn seal_all(settings: &Settings) -> Result<i64, CommandError> {
    let Some((database, key_ring)) = open(settings)? else {
        return Ok(0);
    };
    database::wait_for(async {
        seal_again(&database, &key_ring).await?;
        let current = key_ring.names().current;
        let left =
            database.read(move |reader| totp_factors::count_sealed_otherwise(reader, &current));
        Ok(left.await?)
    })
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
