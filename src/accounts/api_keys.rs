//! What the routes and the command line share about API keys: which names and expiries they accept, how a key is created
//! and how it is shown.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::Event;
use crate::config::MAX_DURATION;
use crate::context::Change;
use crate::crypto::token::TokenKind;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Result, ValidationErrors};
use crate::domain::one_line;
use crate::domain::scope::{INTROSPECT, Scopes};
use crate::domain::{ApiKey, ApiKeyId, User};
use crate::mail::{self, Notice};
use crate::store::api_keys::{self, NewKey};

/// The text that requests a key without an expiry.
pub const NEVER: &str = "never";
/// The lifetime of a key whose creator requests none.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How many revoked and expired keys a user still sees in the list.
const KEEP_ENDED: u32 = 100;

/// Creates a key of `owner`, or of a service, and notifies the owner; `None` when they have `most` keys. `new` names the
/// same owner.
pub fn create_api_key(
    change: &Change<'_>,
    new: &NewKey<'_>,
    owner: Option<&User>,
    most: u32,
    notice: Option<&Notice>,
    now: Timestamp,
) -> Result<Option<ApiKey>> {
    let Some(key) = api_keys::insert(change, new, most, now)? else {
        return Ok(None);
    };
    if let Some(owner) = owner {
        api_keys::delete_invalid_beyond(change, owner.id, KEEP_ENDED, now)?;
        mail::notify_of_api_key(change, notice, owner, key.id, now)?;
    }
    change.record(Event::ApiKeyCreated {
        user: key.user_id,
        key: key.id,
    });
    Ok(Some(key))
}

/// A key's name: one line of at most 255 characters, without white space around it.
pub fn check_name(text: &str) -> Result<String, ValidationErrors> {
    one_line::parse_required("name", text).map(str::to_owned)
}

/// The scopes of a user's key: at least one, of those that users may give and `introspect`.
pub fn check_scopes(
    words: &[impl AsRef<str>],
    available: &Scopes,
) -> Result<Scopes, ValidationErrors> {
    let is_available = |word: &str| word == INTROSPECT || available.has(word);

    match Scopes::from_words(words) {
        Some(scopes) if scopes.is_empty() => {
            Err(ValidationErrors::field("scopes", "can't be blank"))
        }
        Some(scopes) if scopes.words().all(is_available) => Ok(scopes),
        _ => Err(ValidationErrors::field("scopes", "is invalid")),
    }
}

/// A key's expiry: in the future, within ten years.
pub fn check_expiry(at: Timestamp, now: Timestamp) -> Result<Timestamp, ValidationErrors> {
    let fault = |message| Err(ValidationErrors::field("expires_at", message));
    if at <= now {
        fault("must be in the future")
    } else if at > now + MAX_DURATION {
        fault("must be within ten years")
    } else {
        Ok(at)
    }
}

/// A key as its owner and operators see it, without the secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyView<'a> {
    #[schema(value_type = i64, minimum = 1)]
    id: ApiKeyId,
    name: &'a str,
    /// What the key begins with: `crk_`.
    prefix: &'static str,
    /// What the key ends with.
    last_four: &'a str,
    scopes: Vec<&'a str>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// To the minute.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_used_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    revoked_at: Option<Timestamp>,
}

impl<'a> ApiKeyView<'a> {
    /// Of this key.
    pub fn of(key: &'a ApiKey) -> Self {
        Self {
            id: key.id,
            name: &key.name,
            prefix: TokenKind::ApiKey.prefix(),
            last_four: &key.last_four,
            scopes: key.scopes.words().collect(),
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}
