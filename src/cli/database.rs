//! How commands open the database, and change it as the operator.

use std::future::Future;
use std::ops::Deref;

use super::CommandError;
use crate::audit::{Keys, Recorder, Source};
use crate::config::Settings;
use crate::context::{Change, Committed, commit};
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Clock;
use crate::store::{self, Database, IfMissing, check_is_current};

/// Commands run one query after another.
const WORKERS: usize = 1;

/// Opens an existing database. A missing one is not created: with a wrong path, a command would work on an empty
/// database. An older schema is not migrated: an older server may be running on it.
pub(super) fn open(settings: &Settings) -> Result<Opened<'_>, CommandError> {
    let version = store::schema_version(&settings.database)?;
    check_is_current(version)
        .map_err(|failure| format!("{}: {failure}", store::describe(&settings.database)))?;
    let database = Database::open(
        &settings.database,
        WORKERS,
        IfMissing::Refuse,
        Clock::System,
    )?;
    Ok(Opened { database, settings })
}

/// The database of a command.
pub(super) struct Opened<'s> {
    /// The database.
    pub database: Database,
    settings: &'s Settings,
}

impl Opened<'_> {
    /// Changes something as the operator; see [`commit`].
    ///
    /// # Errors
    /// Those of [`commit`], and of the key base, which signs the events.
    pub(super) async fn commit<T, F>(&self, work: F) -> crate::Result<Committed<T>>
    where
        T: Send + 'static,
        F: FnMut(&Change<'_>) -> crate::Result<T> + Send + 'static,
    {
        let keys = Keys::new(&KeyRing::open(self.settings)?);
        let recorder = Recorder::new(keys, Clock::System);
        commit(&self.database, &recorder, Source::OPERATOR, work).await
    }
}

impl Deref for Opened<'_> {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
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
