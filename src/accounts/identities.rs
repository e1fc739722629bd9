//! Identities at other providers that belong to a user: linking and unlinking.
//!
//! # Threats
//! - an attacker with a stolen session who links an identity to stay: it needs a reauthentication, and the user is notified
//!   by mail
//! - an identity linked to two users: the unique index decides
//! - rows without end: a user has at most [`MAX_IDENTITIES`]
//! - an identity that the user unlinked and that comes back by its address: from then on a mailed link is needed
//! - a user who locks themselves out: the last way to sign in cannot be unlinked
//! - sessions that an unlinked identity started: all but the caller's end

use super::credentials_changed::{KeepSessions, credentials_changed};
use super::sign_in_methods::SignInMethods;
use crate::audit::Event;
use crate::context::Change;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{Account, IdentityId, LinkedIdentity, SessionId, User};
use crate::mail::{self, Notice};
use crate::store::identities::{self, NewIdentity};
use crate::store::users;

/// Identities of one user.
pub const MAX_IDENTITIES: u32 = 20;

/// What came of linking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linked {
    /// It is linked.
    Done(LinkedIdentity),
    /// It was linked before, to this user or another.
    Taken,
    /// The user has as many as there may be.
    TooMany,
}

/// Links an identity to a user, who is notified.
pub fn link(
    change: &Change<'_>,
    user: &User,
    identity: &NewIdentity<'_>,
    notice: Option<&Notice>,
    now: Timestamp,
) -> Result<Linked> {
    let Some(linked) = identities::insert(change, user.id, identity, MAX_IDENTITIES, now)? else {
        let owner = identities::find_user(change, identity.issuer, identity.subject)?;
        return Ok(match owner {
            Some(_) => Linked::Taken,
            None => Linked::TooMany,
        });
    };
    credentials_changed(change, user.id, KeepSessions::All, now)?;
    change.record(Event::IdentityLinked { user: user.id });
    mail::notify(change, notice, user, now)?;
    Ok(Linked::Done(linked))
}

/// What came of unlinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlinked {
    /// The identity no longer signs in.
    Done,
    /// The user has no such identity.
    NotFound,
    /// The user could not sign in any more.
    LastSignInMethod,
}

/// Unlinks an identity, which ends all sessions but the caller's. The user is notified.
pub fn unlink(
    change: &Change<'_>,
    account: &Account,
    id: IdentityId,
    methods: &SignInMethods,
    kept: SessionId,
    notice: Option<&Notice>,
    now: Timestamp,
) -> Result<Unlinked> {
    let user = &account.user;
    let linked = identities::list_for_user(change, user.id)?;
    if !linked.iter().any(|identity| identity.id == id) {
        return Ok(Unlinked::NotFound);
    }
    let remains = account.password_digest.is_some()
        || methods.has_identity(change, user.id, Some(id))?
        || methods.has_passkey(change, user.id)?;
    if !remains {
        return Ok(Unlinked::LastSignInMethod);
    }
    identities::delete(change, user.id, id)?;
    users::stop_linking_by_address(change, user.id)?;
    let keep = KeepSessions::Only {
        kept,
        keep_api_keys: true,
    };
    let sessions_ended = credentials_changed(change, user.id, keep, now)?;
    change.record(Event::IdentityUnlinked {
        user: user.id,
        sessions_ended,
    });
    mail::notify(change, notice, user, now)?;
    Ok(Unlinked::Done)
}
