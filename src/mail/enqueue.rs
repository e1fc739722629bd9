//! Writes mails into the outbox, in the transaction of the change that they are about.
//!
//! A requested link is the same row whether or not an account has the address: the [worker](super::worker) finds the
//! account. A [`Notice`] goes to the address as it is at the time of the change.
//!
//! # Threats
//! - floods of mail to one address: each mail is counted by a limit first, and a mail that still waits serves a new
//!   request
//! - text of an attacker in another person's mailbox: an unverified address gets no `User-Agent`, others at most 120
//!   printable ASCII characters of it
//! - a notice in a language that its reader does not know: it is in the user's language, never in that of the request

use std::fmt;
use std::sync::Arc;

use crate::config;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::mail_kind::{MailKind, NOTICE_LIFETIME};
use crate::domain::{ApiKeyId, EmailAddress, Locale, User, UserId};
use crate::store::Transaction;
use crate::store::outbox::{self, Class, NewOutboxEntry};

/// Enough to recognise a program.
const USER_AGENT_CHARACTERS: usize = 120;

/// Adds a mail with a link for the account that has this address. A mail that waits untried is renewed instead; a new
/// one needs the consent of `admit`.
pub fn enqueue_link(
    tx: &Transaction<'_>,
    kind: MailKind,
    address: &EmailAddress,
    locale: Option<&Locale>,
    now: Timestamp,
    admit: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    let expires_at = now + kind.lifetime().unwrap_or_default();
    if outbox::renew(tx, kind.as_str(), address, expires_at)? || !admit()? {
        return Ok(());
    }
    let new = NewOutboxEntry {
        locale,
        ..plain(kind, address, expires_at)
    };
    outbox::insert(tx, &new, now)
}

/// Adds the mail that verifies the address a user wants to change to, if `admit` consents. A mail that waits does not
/// serve instead, since it may be another user's.
pub fn enqueue_address_change(
    tx: &Transaction<'_>,
    user_id: UserId,
    new_address: &EmailAddress,
    now: Timestamp,
    admit: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    if !admit()? {
        return Ok(());
    }
    let kind = MailKind::AddressChange;
    let expires_at = now + kind.lifetime().unwrap_or_default();
    let new = NewOutboxEntry {
        user_id: Some(user_id),
        ..plain(kind, new_address, expires_at)
    };
    outbox::insert(tx, &new, now)
}

/// Adds the mail with the code of this request, for the account that has the address. A mail that waits does not serve
/// instead, since its code is another request's.
pub fn enqueue_mail_code(
    tx: &Transaction<'_>,
    request: i64,
    address: &EmailAddress,
    locale: Option<&Locale>,
    now: Timestamp,
) -> Result<()> {
    enqueue_of_request(tx, MailKind::MailCode, request, address, locale, now)
}

/// Adds the mail that links the identity of this request, for the account that has the address.
pub fn enqueue_identity_link(
    tx: &Transaction<'_>,
    request: i64,
    address: &EmailAddress,
    locale: Option<&Locale>,
    now: Timestamp,
) -> Result<()> {
    enqueue_of_request(tx, MailKind::IdentityLink, request, address, locale, now)
}

fn enqueue_of_request(
    tx: &Transaction<'_>,
    kind: MailKind,
    request: i64,
    address: &EmailAddress,
    locale: Option<&Locale>,
    now: Timestamp,
) -> Result<()> {
    let expires_at = now + kind.lifetime().unwrap_or_default();
    let new = NewOutboxEntry {
        subject_id: Some(request),
        locale,
        ..plain(kind, address, expires_at)
    };
    outbox::insert(tx, &new, now)
}

/// Adds the mail that lifts the limit on failed sign-ins to this address; of use `until` the limit's window ends.
pub fn enqueue_unlock(
    tx: &Transaction<'_>,
    address: &EmailAddress,
    until: Timestamp,
    now: Timestamp,
) -> Result<()> {
    outbox::insert(tx, &plain(MailKind::Unlock, address, until), now)
}

/// A change to an account and where it was requested, to notify its owner of.
#[derive(Clone)]
pub struct Notice {
    kind: MailKind,
    /// `None` for a change that an operator made.
    ip_address: Option<String>,
    user_agent: Option<String>,
    admit: Arc<Admit>,
}

/// Whether one more notice may go to an address.
pub type Admit = dyn Fn(&Transaction<'_>, &EmailAddress, Timestamp) -> Result<bool> + Send + Sync;

impl Notice {
    /// `None` when the operator disabled this kind, or it is not a notice. `admit` limits the mails to one address.
    pub fn new(
        settings: &config::Notices,
        kind: MailKind,
        ip_address: String,
        user_agent: Option<&str>,
        admit: Arc<Admit>,
    ) -> Option<Self> {
        let printable = |name: &str| {
            name.chars()
                .filter(|c| matches!(c, ' '..='~'))
                .take(USER_AGENT_CHARACTERS)
                .collect()
        };
        settings.includes(kind).then(|| Self {
            kind,
            ip_address: Some(ip_address),
            user_agent: user_agent
                .filter(|name| !name.trim().is_empty())
                .map(printable),
            admit,
        })
    }

    /// Of a change that an operator makes by a command; `None` when this kind is disabled.
    pub fn of_operator(settings: &config::Notices, kind: MailKind) -> Option<Self> {
        settings.includes(kind).then(|| Self {
            kind,
            ip_address: None,
            user_agent: None,
            admit: Arc::new(|_, _, _| Ok(true)),
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

/// Adds the notice, if there is one and its limit admits it, to this user's address.
pub fn notify(
    tx: &Transaction<'_>,
    notice: Option<&Notice>,
    user: &User,
    now: Timestamp,
) -> Result<()> {
    enqueue_notice(tx, notice, user, None, now)
}

/// The same for a notice about an API key of this user.
pub fn notify_of_api_key(
    tx: &Transaction<'_>,
    notice: Option<&Notice>,
    user: &User,
    key: ApiKeyId,
    now: Timestamp,
) -> Result<()> {
    enqueue_notice(tx, notice, user, Some(key), now)
}

fn enqueue_notice(
    tx: &Transaction<'_>,
    notice: Option<&Notice>,
    user: &User,
    about: Option<ApiKeyId>,
    now: Timestamp,
) -> Result<()> {
    let Some(notice) = notice else {
        return Ok(());
    };
    let address = &user.email_address;
    if !(notice.admit)(tx, address, now)? {
        return Ok(());
    }
    let verified = user.email_confirmed_at.is_some();
    let new = NewOutboxEntry {
        user_id: Some(user.id),
        ip_address: notice.ip_address.as_deref(),
        user_agent: notice.user_agent.as_deref().filter(|_| verified),
        subject_id: about.map(|key| key.0),
        locale: user.locale.as_ref(),
        ..plain(notice.kind, address, now + NOTICE_LIFETIME)
    };
    outbox::insert(tx, &new, now)
}

/// Resets a mail that was not sent to its first attempt, with a new lifetime; `false` when no unsent mail has this id.
pub fn retry(tx: &Transaction<'_>, id: i64, now: Timestamp) -> Result<bool> {
    let Some(entry) = outbox::find(tx, id)? else {
        return Ok(false);
    };
    let lifetime = MailKind::parse(&entry.kind).and_then(MailKind::lifetime);
    let expires_at = lifetime.map_or(entry.expires_at, |lifetime| now + lifetime);
    outbox::retry(tx, id, expires_at, now)
}

fn plain(kind: MailKind, address: &EmailAddress, expires_at: Timestamp) -> NewOutboxEntry<'_> {
    NewOutboxEntry {
        kind: kind.as_str(),
        class: if kind.is_notice() {
            Class::Notice
        } else {
            Class::Link
        },
        priority: kind.priority(),
        email_address: address,
        expires_at,
        user_id: None,
        ip_address: None,
        user_agent: None,
        subject_id: None,
        locale: None,
    }
}
