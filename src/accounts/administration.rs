//! What an operator does to accounts, by the command line; and the end of an account, which its owner can reach as well.

use super::credentials_changed::{KeepSessions, credentials_changed};
use super::second_factor;
use super::second_factor_rule;
use crate::audit::Event;
use crate::context::Change;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Result, ValidationErrors};
use crate::domain::{
    Account, Claims, EmailAddress, JsonObject, PasswordDigest, Role, User, UserId,
};
use crate::mail::{self, Notice};
use crate::store::outbox;
use crate::store::{passwords, users};
use crate::throttle::Throttle;

/// Creates an account, with its address verified if the operator vouches for it; `None` when the address is taken.
pub fn create(
    change: &Change<'_>,
    address: &EmailAddress,
    digest: &PasswordDigest,
    verified: bool,
    now: Timestamp,
) -> Result<Option<User>> {
    let Some(user) = users::insert(change, address, None, now)? else {
        return Ok(None);
    };
    passwords::insert(change, user.id, digest, now)?;
    change.record(Event::UserCreated { user: user.id });
    if verified {
        users::confirm_address(change, user.id, address, now)?;
        change.record(Event::AddressVerified { user: user.id });
    }
    reload(change, user.id)
}

/// Disables an account and ends its sessions; returns the user and how many sessions ended. Doing it again ends what
/// sessions there are and keeps the time of the first.
pub fn disable(
    change: &Change<'_>,
    account: &Account,
    now: Timestamp,
) -> Result<Option<(User, usize)>> {
    let user = account.user.id;
    if account.user.disabled_at.is_none() {
        users::set_disabled(change, user, Some(now), now)?;
    }
    let sessions_ended = credentials_changed(change, user, KeepSessions::None, now)?;
    change.record(Event::UserDisabled {
        user,
        sessions_ended,
    });
    Ok(reload(change, user)?.map(|user| (user, sessions_ended)))
}

/// Enables a disabled account; an enabled one stays as it is.
pub fn enable(change: &Change<'_>, account: &Account, now: Timestamp) -> Result<Option<User>> {
    let user = account.user.id;
    if account.user.disabled_at.is_some() {
        users::set_disabled(change, user, None, now)?;
        change.record(Event::UserEnabled { user });
    }
    reload(change, user)
}

/// What a reset of second factors changed.
#[derive(Clone, Copy, Debug)]
pub struct FactorsReset {
    /// Whether there were any.
    pub removed: bool,
    /// Whether the grace had begun, so that it starts again.
    pub grace_restarted: bool,
}

/// The notices of [`reset_factors`].
#[derive(Clone)]
pub struct FactorNotices {
    /// That the authenticator app was removed.
    pub totp: Option<Notice>,
    /// That the passkeys were removed.
    pub passkeys: Option<Notice>,
}

/// Removes all second factors and passkeys of a user, who lost the devices with them, and starts the grace to set one up
/// again. The user is notified of the removal. Without a password, the user signs in again by a reset.
pub fn reset_factors(
    change: &Change<'_>,
    account: &Account,
    notices: &FactorNotices,
    now: Timestamp,
) -> Result<FactorsReset> {
    let user = &account.user;
    let removed = second_factor::remove_all(change, user.id)?;
    let reset = FactorsReset {
        removed: removed.totp || removed.passkeys,
        grace_restarted: user.second_factor_due_at.is_some(),
    };
    if removed.totp {
        mail::notify(change, notices.totp.as_ref(), user, now)?;
    }
    if removed.passkeys {
        mail::notify(change, notices.passkeys.as_ref(), user, now)?;
    }
    if reset.removed || reset.grace_restarted {
        second_factor_rule::clear(change, user)?;
        Throttle::forget_codes(change, user.id)?;
        change.record(Event::SecondFactorsReset { user: user.id });
    }
    Ok(reset)
}

/// Gives a user a role; the one that they have changes nothing.
pub fn set_role(
    change: &Change<'_>,
    account: &Account,
    role: Role,
    now: Timestamp,
) -> Result<Option<User>> {
    let user = account.user.id;
    if account.user.role != role {
        users::set_role(change, user, role, now)?;
        change.record(Event::RoleChanged { user });
    }
    reload(change, user)
}

/// Marks an account's address as verified: the operator vouches for it. A verified one stays as it is.
pub fn verify_address(
    change: &Change<'_>,
    account: &Account,
    now: Timestamp,
) -> Result<Option<User>> {
    let User {
        id: user,
        email_address,
        ..
    } = &account.user;
    if users::confirm_address(change, *user, email_address, now)? {
        change.record(Event::AddressVerified { user: *user });
    }
    reload(change, *user)
}

/// Replaces what operators record about a user. `claims` names the members that are claims.
///
/// # Errors
/// [`ValidationErrors`] if the claims do not fit [`Claims::MAX_BYTES`], and those of the database.
pub fn set_metadata(
    change: &Change<'_>,
    account: &Account,
    metadata: &JsonObject,
    claims: &[String],
    now: Timestamp,
) -> Result<Option<User>> {
    let user = users::set_metadata(change, account.user.id, metadata, now)?;
    if let Some(user) = &user {
        if !Claims::of(user, claims)?.fit() {
            let most = Claims::MAX_BYTES;
            let message = format!("has claims of more than {most} bytes (tokens.claims)");
            return Err(ValidationErrors::field("metadata", message).into());
        }
        change.record(Event::MetadataChanged { user: user.id });
    }
    Ok(user)
}

/// Deletes an account with everything that belongs to it, mails about it and to it included, except for warnings that are
/// not sent yet.
pub fn erase(change: &Change<'_>, account: &Account) -> Result<()> {
    let user = account.user.id;
    outbox::delete_all_for(change, user, &account.user.email_address)?;
    users::delete(change, user)?;
    change.record(Event::AccountDeleted { user });
    Ok(())
}

fn reload(change: &Change<'_>, user: UserId) -> Result<Option<User>> {
    Ok(users::find(change, user)?.map(|account| account.user))
}
