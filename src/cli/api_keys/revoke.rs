//! `cloakroom api-keys revoke`: one key, all of a user's, or all.

use serde_json::json;

use super::database;
use crate::audit::Event;
use crate::cli::output::{Format, confirm};
use crate::cli::user_ref::UserRef;
use crate::cli::{CommandError, Outcome};
use crate::config::Settings;
use crate::domain::ApiKeyId;
use crate::domain::clock::Clock;
use crate::store::api_keys;

/// How many keys one transaction revokes.
const BATCH: u32 = 500;

/// Which keys.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct Which {
    /// Key id
    id: Option<i64>,
    /// All keys of this user: an id or an email address
    #[arg(long)]
    user: Option<UserRef>,
    /// All keys, including those of services
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(settings: &Settings, which: Which, yes: bool, format: &Format) -> Outcome {
    let revoked = match (which.id, which.user) {
        (_, Some(user)) => revoke_all_of(settings, user).await?,
        (Some(id), None) => revoke(settings, id).await?,
        (None, None) => revoke_all(settings, yes).await?,
    };
    format.print(&json!({ "api_keys_revoked": revoked }), || {
        count_revoked(revoked)
    })
}

async fn revoke(settings: &Settings, id: i64) -> Result<usize, CommandError> {
    let (database, now) = (database::open(settings)?, Clock::System.now());
    let revoked = database.commit(move |change| {
        let Some(key) = api_keys::find(change, ApiKeyId(id))? else {
            return Ok(None);
        };
        let revoked = api_keys::revoke(change, key.id, now)?;
        if revoked == Some(true) {
            change.record(Event::ApiKeyRevoked {
                user: key.user_id,
                key: key.id,
            });
        }
        Ok(revoked)
    });
    match revoked.await?.value {
        Some(revoked) => Ok(usize::from(revoked)),
        None => Err(format!("no API key with id {id}").into()),
    }
}

async fn revoke_all_of(settings: &Settings, user: UserRef) -> Result<usize, CommandError> {
    let (database, now, asked) = (database::open(settings)?, Clock::System.now(), user.clone());
    let revoked = database.commit(move |change| {
        let Some(account) = asked.find(change)? else {
            return Ok(None);
        };
        let user = account.user.id;
        let keys_revoked = api_keys::revoke_all_for_user(change, user, now)?;
        change.record(Event::ApiKeysRevoked {
            user: Some(user),
            keys_revoked,
        });
        Ok(Some(keys_revoked))
    });
    user.require(revoked.await?.value)
}

/// In small transactions, so that a running server is not blocked. Keys created meanwhile are revoked too.
async fn revoke_all(settings: &Settings, yes: bool) -> Result<usize, CommandError> {
    let (database, now) = (database::open(settings)?, Clock::System.now());
    if !yes {
        confirm("Revoke all API keys of all users and services?")?;
    }
    let (mut last, mut revoked) = (ApiKeyId(0), 0);
    loop {
        let found = database
            .read(move |reader| api_keys::list_unrevoked(reader, last, BATCH))
            .await?;
        let Some(id) = found.last() else {
            return Ok(revoked);
        };
        last = *id;
        let batch = database.commit(move |change| {
            let mut keys_revoked = 0;
            for id in &found {
                keys_revoked += usize::from(api_keys::revoke(change, *id, now)? == Some(true));
            }
            change.record(Event::ApiKeysRevoked {
                user: None,
                keys_revoked,
            });
            Ok(keys_revoked)
        });
        revoked += batch.await?.value;
    }
}

fn count_revoked(keys: usize) -> String {
    match keys {
        1 => "revoked 1 API key".to_owned(),
        many => format!("revoked {many} API keys"),
    }
}
