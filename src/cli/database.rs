//! How commands open the database.

use std::future::Future;

use super::CommandError;
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::store::{self, Database, IfMissing, check_is_current};

/// Commands run one query after another.
const WORKERS: usize = 1;

/// Opens an existing database. A missing one is not created: with a wrong path, a command would work on an empty
/// database. An older schema is not migrated: an older server may be running on it.
pub(super) fn open(settings: &Settings) -> Result<Database, CommandError> {
    let version = store::schema_version(&settings.database)?;
    check_is_current(version)
        .map_err(|failure| format!("{}: {failure}", store::describe(&settings.database)))?;
    Ok(Database::open(
        &settings.database,
        WORKERS,
        IfMissing::Refuse,
        Clock::System,
    )?)
}

/// Runs a command's work to its end.
pub(super) fn wait_for<T>(
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
