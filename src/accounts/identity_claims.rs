//! What another provider states about a user and the settings keep: the profile of a new user, and the metadata at each
//! sign-in. Users change name and profile themselves, so these are not overwritten later; of metadata the provider is the
//! source.
//!
//! # Threats
//! - a right that a user has lost at the provider: what it no longer states, or what does not fit, is removed
//! - claims that make access tokens too long, so that none is issued: they are removed

use serde_json::{Map, Value};

use crate::audit::Event;
use crate::context::{Change, Context};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{Claims, JsonObject, User, UserId};
use crate::providers::Identity;
use crate::store::users::{self, DetailChanges};

/// Gives a new user the name and the profile that the identity states; returns the profile.
pub fn fill_details(
    change: &Change<'_>,
    user: UserId,
    identity: &Identity,
    now: Timestamp,
) -> Result<Option<JsonObject>> {
    let stated = Some(&identity.profile).filter(|profile| !profile.is_empty());
    let profile = stated.and_then(|profile| JsonObject::parse("profile", profile).ok());
    let details = DetailChanges {
        name: identity.name.as_deref().map(Some),
        profile: profile.as_ref(),
    };
    users::update_details(change, user, &details, now)?;
    Ok(profile)
}

/// Keeps in the metadata of a user what the identity states: the user as it is then.
pub fn keep_metadata(
    context: &Context,
    change: &Change<'_>,
    user: User,
    identity: &Identity,
    now: Timestamp,
) -> Result<User> {
    if identity.metadata.is_empty() {
        return Ok(user);
    }
    let names = &context.settings.tokens.claims;
    let before: Map<String, Value> =
        serde_json::from_str(user.metadata.as_str()).map_err(Error::internal)?;
    let stated = parse(&merged(&before, &identity.metadata)).filter(|metadata| {
        let user = User {
            metadata: metadata.clone(),
            ..user.clone()
        };
        Claims::of(&user, names).is_ok_and(|claims| claims.fit())
    });
    let metadata = match stated {
        Some(metadata) => metadata,
        None => {
            let user = user.id.0;
            tracing::warn!(user, "the claims of a provider are too long to be kept");
            let removed = identity.metadata.keys();
            let removed = removed.map(|name| (name.clone(), Value::Null)).collect();
            parse(&merged(&before, &removed)).unwrap_or_default()
        }
    };
    if metadata == user.metadata {
        return Ok(user);
    }
    change.record(Event::MetadataChanged { user: user.id });
    Ok(users::set_metadata(change, user.id, &metadata, now)?.unwrap_or(user))
}

fn parse(members: &Map<String, Value>) -> Option<JsonObject> {
    JsonObject::parse("metadata", members).ok()
}

/// The members with changes; `null` removes one.
fn merged(members: &Map<String, Value>, changes: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = members.clone();
    for (name, value) in changes {
        match value {
            Value::Null => merged.remove(name),
            value => merged.insert(name.clone(), value.clone()),
        };
    }
    merged
}
