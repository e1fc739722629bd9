//! An account whose address was never verified, when the owner of the mailbox takes the address over.
//!
//! # Threats
//! - an account prepared by another person, who signed up with the address before its owner: its sessions, API keys,
//!   tokens, projects, profile and user id end with it, and services that keep data by user id see a new one
//! - concurrent take-overs and sign-ups: deletion and insertion are one transaction, and the unique index decides

use super::administration::erase;
use crate::audit::Event;
use crate::context::Change;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{Account, PasswordDigest, User};
use crate::store::{passwords, sessions, users};

/// Replaces the account by a fresh one with this password, whose address is verified. Returns the new user and how many
/// sessions of the old one ended.
pub fn replace_account(
    change: &Change<'_>,
    account: &Account,
    digest: &PasswordDigest,
    now: Timestamp,
) -> Result<Option<(User, usize)>> {
    let address = &account.user.email_address;
    let sessions_ended = sessions::delete_all_for_user(change, account.user.id)?;
    erase(change, account)?;
    // Without a language: the account's was chosen by another person.
    let Some(user) = users::insert(change, address, None, now)? else {
        return Ok(None);
    };
    passwords::insert(change, user.id, digest, now)?;
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
