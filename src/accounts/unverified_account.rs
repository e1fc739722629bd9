//! An account whose address was never verified, when the owner of the mailbox takes the address over.
//!
//! # Threats
//! - an account prepared by another person, whose owner opened the link to verify the address without having asked for
//!   it, and later resets the password: passkeys and identities from before the verification end with the reset
//! - an account prepared by another person, who signed up with the address before its owner: its sessions, API keys,
//!   tokens, projects, profile and user id end with it, and services that keep data by user id see a new one
//! - an app or a passkey that the owner set up before verifying the address, and that ends with the rest: the user is
//!   notified
//! - concurrent take-overs and sign-ups: deletion and insertion are one transaction, and the unique index decides

use super::administration::erase;
use super::credentials_changed::{KeepSessions, credentials_changed};
use super::second_factor;
use super::second_factor_rule::{self, Rule};
use crate::audit::Event;
use crate::config::UnverifiedReset;
use crate::context::{Change, Context};
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::mail_kind::MailKind;
use crate::domain::{Account, ClientInfo, PasswordDigest, SecondFactor, User};
use crate::mail::{self, Notice};
use crate::store::{identities, passkeys, passwords, sessions, users};

/// The notices of what a proof of the address removes.
#[derive(Clone)]
pub struct RemovalNotices {
    password: Option<Notice>,
    totp: Option<Notice>,
    passkeys: Option<Notice>,
    identities: Option<Notice>,
}

impl RemovalNotices {
    /// Of a request of this client.
    pub fn of(context: &Context, client: &ClientInfo) -> Self {
        let notice = |kind| context.notice(client, kind);
        Self {
            password: notice(MailKind::UnverifiedPasswordRemoved),
            totp: notice(MailKind::TotpRemoved),
            passkeys: notice(MailKind::PasskeyRemoved),
            identities: notice(MailKind::IdentityUnlinked),
        }
    }
}

/// Gives the account to the owner of the mailbox, who proves the address for the first time and sets no password. What
/// another person may have set up ends, and the user is notified: sessions, password, second factors, API keys; or all of the
/// account, if the settings say so. `None` if the address was verified meanwhile.
pub fn claim_account(
    change: &Change<'_>,
    account: &Account,
    unverified: UnverifiedReset,
    notices: &RemovalNotices,
    now: Timestamp,
) -> Result<Option<Account>> {
    let user = account.user.id;
    if unverified == UnverifiedReset::Replace {
        return match replace_account(change, account, None, now)? {
            Some((user, _)) => users::find(change, user.id),
            None => Ok(None),
        };
    }
    if !prove_address(change, &account.user, notices, now)? {
        return Ok(None);
    }
    let sessions_ended = credentials_changed(change, user, KeepSessions::None, now)?;
    if passwords::delete(change, user)? {
        change.record(Event::UnverifiedPasswordRemoved {
            user,
            sessions_ended,
        });
        mail::notify(change, notices.password.as_ref(), &account.user, now)?;
    }
    users::find(change, user)
}

/// Verifies the address of a user who has just proved to own the mailbox; `false` if it was verified before. Second factors
/// and identities of that time end, since another person may have set them up; sessions and the password are the caller's.
/// The user is notified, since they may as well be the owner's.
pub fn prove_address(
    change: &Change<'_>,
    user: &User,
    notices: &RemovalNotices,
    now: Timestamp,
) -> Result<bool> {
    if !users::confirm_address(change, user.id, &user.email_address, now)? {
        return Ok(false);
    }
    change.record(Event::AddressVerified { user: user.id });
    let removed = second_factor::remove_all(change, user.id)?;
    if removed.totp {
        change.record(Event::TotpRemoved { user: user.id });
        mail::notify(change, notices.totp.as_ref(), user, now)?;
    }
    if removed.passkeys {
        note_passkeys_removed(change, user, notices, now)?;
    }
    if identities::delete_all_for_user(change, user.id)? > 0 {
        note_identities_unlinked(change, user, notices, now)?;
    }
    Ok(true)
}

/// Ends the ways to sign in that are older than the verification of the address, when its owner proves it again by a
/// reset: another person may have set them up, and the owner have opened the link of the verification by mistake. The
/// user is notified. Passkeys that a sign-in by password asks for stay, as every second factor does.
pub fn remove_older_ways(
    change: &Change<'_>,
    rule: &Rule,
    user: &User,
    notices: &RemovalNotices,
    now: Timestamp,
) -> Result<()> {
    let Some(verified_at) = user.email_confirmed_at else {
        return Ok(());
    };
    if identities::delete_older(change, user.id, verified_at)? > 0 {
        note_identities_unlinked(change, user, notices, now)?;
    }
    let are_due = second_factor_rule::methods(change, rule, user)? == [SecondFactor::Passkey];
    if !are_due && passkeys::delete_older(change, user.id, verified_at)? > 0 {
        note_passkeys_removed(change, user, notices, now)?;
    }
    Ok(())
}

fn note_passkeys_removed(
    change: &Change<'_>,
    user: &User,
    notices: &RemovalNotices,
    now: Timestamp,
) -> Result<()> {
    change.record(Event::PasskeyRemoved {
        user: user.id,
        passkey: None,
    });
    mail::notify(change, notices.passkeys.as_ref(), user, now)
}

fn note_identities_unlinked(
    change: &Change<'_>,
    user: &User,
    notices: &RemovalNotices,
    now: Timestamp,
) -> Result<()> {
    change.record(Event::IdentityUnlinked {
        user: user.id,
        sessions_ended: 0,
    });
    mail::notify(change, notices.identities.as_ref(), user, now)
}

/// Replaces the account by a fresh one with this password, whose address is verified. Returns the new user and how many
/// sessions of the old one ended.
pub fn replace_account(
    change: &Change<'_>,
    account: &Account,
    digest: Option<&PasswordDigest>,
    now: Timestamp,
) -> Result<Option<(User, usize)>> {
    let address = &account.user.email_address;
    let sessions_ended = sessions::delete_all_for_user(change, account.user.id)?;
    erase(change, account)?;
    // Without a language: the account's was chosen by another person.
    let Some(user) = users::insert(change, address, None, now)? else {
        return Ok(None);
    };
    if let Some(digest) = digest {
        passwords::insert(change, user.id, digest, now)?;
    }
    users::confirm_address(change, user.id, address, now)?;
    change.record(Event::SignedUp {
        user: user.id,
        session: None,
    });
    change.record(Event::AddressVerified { user: user.id });
    let user = User {
        email_confirmed_at: Some(now),
        ..user
    };
    Ok(Some((user, sessions_ended)))
}
