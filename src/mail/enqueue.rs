//! Intentions: what a feature writes into the outbox, in the transaction of the change that the mail is about.
//!
//! A request is the same row for everybody, whether anybody has the address or not: the [worker](super::worker) finds
//! the account. A [`Notice`] goes to the address as it is written, for that may be an account's no longer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Kind;
use crate::config;
use crate::crypto::signed_link;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::model::{EmailAddress, User, UserId};
use crate::store::Transaction;
use crate::store::outbox::{self, NewIntention};

/// How long news are worth telling.
const NOTICE_LIFETIME: Duration = Duration::from_secs(3 * 24 * 3600);
/// Enough to recognise a program, too little to tell a tale in somebody's mail.
const USER_AGENT_CHARACTERS: usize = 120;

/// Notes that whoever has this address wants to reset their password. A mail that waits already serves; for another
/// one `admit` is asked.
pub fn request_reset(
    tx: &Transaction<'_>,
    address: &EmailAddress,
    now: Timestamp,
    admit: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    request(
        tx,
        Kind::PasswordReset,
        address,
        signed_link::RESET_LIFETIME,
        now,
        admit,
    )
}

/// Notes that whoever has this address has to confirm it. A mail that waits already serves; for another one `admit`
/// is asked.
pub fn request_confirmation(
    tx: &Transaction<'_>,
    address: &EmailAddress,
    now: Timestamp,
    admit: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    request(
        tx,
        Kind::Confirmation,
        address,
        signed_link::CONFIRMATION_LIFETIME,
        now,
        admit,
    )
}

/// Notes that somebody signed up with an address that has an account, whose owner is shown the way back in. A mail
/// that waits already serves; for another one `admit` is asked.
pub fn request_already_registered(
    tx: &Transaction<'_>,
    address: &EmailAddress,
    now: Timestamp,
    admit: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    request(
        tx,
        Kind::AlreadyRegistered,
        address,
        signed_link::RESET_LIFETIME,
        now,
        admit,
    )
}

/// Notes that a user wants this address in the place of theirs, if `admit` says so. No mail that waits serves: it may
/// be another user's.
pub fn request_address_change(
    tx: &Transaction<'_>,
    user_id: UserId,
    new_address: &EmailAddress,
    now: Timestamp,
    admit: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    if !admit()? {
        return Ok(());
    }
    let kind = Kind::AddressChange;
    let new = NewIntention {
        user_id: Some(user_id),
        ..plain(kind, new_address, now + signed_link::CONFIRMATION_LIFETIME)
    };
    outbox::insert(tx, &new, now)
}

/// Notes that sign-in to this address is closed `until` its throttle's window ends, so that whoever has it can open it.
pub fn request_unlock(
    tx: &Transaction<'_>,
    address: &EmailAddress,
    until: Timestamp,
    now: Timestamp,
) -> Result<()> {
    outbox::insert(tx, &plain(Kind::Unlock, address, until), now)
}

/// Something that was done with an account, and from where, for its owner to know.
#[derive(Clone)]
pub struct Notice {
    kind: Kind,
    ip_address: String,
    user_agent: Option<String>,
    admit: Arc<Admit>,
}

/// Whether one more notice may go to an address.
pub type Admit = dyn Fn(&Transaction<'_>, &EmailAddress, Timestamp) -> Result<bool> + Send + Sync;

impl Notice {
    /// `None` when the operator wants no such mail, or the kind is none that tells something. `admit` limits them:
    /// otherwise anybody signed in could have the server mail an address for ever.
    pub fn new(
        settings: &config::Notices,
        kind: Kind,
        ip_address: String,
        user_agent: Option<&str>,
        admit: Arc<Admit>,
    ) -> Option<Self> {
        let wanted = match kind {
            Kind::NewDevice => settings.new_device,
            Kind::PasswordChanged => settings.password_changed,
            Kind::AddressChangeAsked => settings.address_change_asked,
            Kind::AddressChanged => settings.address_changed,
            Kind::AccountDeleted => settings.account_deleted,
            Kind::RefreshReused => settings.refresh_reused,
            Kind::ApiKeyCreated => settings.api_key_created,
            Kind::PasswordReset
            | Kind::Confirmation
            | Kind::AlreadyRegistered
            | Kind::AddressChange
            | Kind::Unlock => false,
        };
        let user_agent = user_agent
            .filter(|name| !name.trim().is_empty())
            .map(|name| {
                name.chars()
                    .filter(|c| matches!(c, ' '..='~'))
                    .take(USER_AGENT_CHARACTERS)
                    .collect()
            });
        wanted.then_some(Self {
            kind,
            ip_address,
            user_agent,
            admit,
        })
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Tells it by a mail to this user's address, if there is something to be told.
pub fn notify(
    tx: &Transaction<'_>,
    notice: Option<&Notice>,
    user: &User,
    now: Timestamp,
) -> Result<()> {
    let Some(notice) = notice else {
        return Ok(());
    };
    let address = &user.email_address;
    if !(notice.admit)(tx, address, now)? {
        return Ok(());
    }
    // An address that nobody has proved to be theirs may be a stranger's, who is sent no text that a client has written.
    let proved = user.email_confirmed_at.is_some();
    let new = NewIntention {
        user_id: Some(user.id),
        ip_address: Some(&notice.ip_address),
        user_agent: notice.user_agent.as_deref().filter(|_| proved),
        ..plain(notice.kind, address, now + NOTICE_LIFETIME)
    };
    outbox::insert(tx, &new, now)
}

/// Puts a mail that was not sent back to the start, to be of use for as long as a new one; `false` when there is none of
/// that id.
pub fn retry(tx: &Transaction<'_>, id: i64, now: Timestamp) -> Result<bool> {
    let Some(entry) = outbox::find(tx, id)? else {
        return Ok(false);
    };
    let lifetime = Kind::parse(&entry.kind).and_then(lifetime);
    let expires_at = lifetime.map_or(entry.expires_at, |lifetime| now + lifetime);
    outbox::retry(tx, id, expires_at, now)
}

/// How long a mail is of use that starts anew; `None` for an unlock mail, which is until the limit's window ends.
fn lifetime(kind: Kind) -> Option<Duration> {
    match kind {
        Kind::PasswordReset | Kind::AlreadyRegistered => Some(signed_link::RESET_LIFETIME),
        Kind::Confirmation | Kind::AddressChange => Some(signed_link::CONFIRMATION_LIFETIME),
        Kind::NewDevice
        | Kind::PasswordChanged
        | Kind::AddressChangeAsked
        | Kind::AddressChanged
        | Kind::AccountDeleted
        | Kind::RefreshReused
        | Kind::ApiKeyCreated => Some(NOTICE_LIFETIME),
        Kind::Unlock => None,
    }
}

/// One row for whoever has the address; a mail that nobody has tried to send yet is renewed.
fn request(
    tx: &Transaction<'_>,
    kind: Kind,
    address: &EmailAddress,
    lifetime: Duration,
    now: Timestamp,
    admit: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    let expires_at = now + lifetime;
    if outbox::renew(tx, kind.as_str(), address, expires_at)? || !admit()? {
        return Ok(());
    }
    outbox::insert(tx, &plain(kind, address, expires_at), now)
}

fn plain(kind: Kind, address: &EmailAddress, expires_at: Timestamp) -> NewIntention<'_> {
    NewIntention {
        kind: kind.as_str(),
        email_address: address,
        expires_at,
        user_id: None,
        ip_address: None,
        user_agent: None,
    }
}
