//! Starting a session: every way to sign in ends here.
//!
//! # Threats
//! - a password changed while it was verified: the authentication must still hold inside the transaction
//! - a stolen password of an account with a second factor: no session starts without the factor
//! - an attacker with the password who sets up a second factor before the owner does: see
//!   [`second_factor_rule`](super::second_factor_rule)
//! - an attacker with the password who pushes the owner's pending sign-in out by further ones: none is dropped before it
//!   expires. Each costs a hash, so that the rows of ten minutes are few
//! - a sign-in that the owner did not make: a device that the account was not used from before is reported by mail
//! - a session planted by cookie: the token is always new, and the session of the cookie in the request ends

use std::net::IpAddr;
use std::time::Duration;

use zeroize::Zeroizing;

use super::authentication::Authentication;
use super::second_factor_rule::{self, Enrolment, Rule};
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::key_ring::Purpose;
use crate::crypto::signed_message::pseudonym;
use crate::crypto::token::{PlainToken, TokenKind, random_hex};
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::mail_kind::MailKind;
use crate::domain::{
    Account, ClientInfo, SecondFactor, SecondFactorDue, Session, TokenDigest, User, UserId,
};
use crate::mail::{self, Notice};
use crate::store::pending_sign_ins::{self, PendingSignIn};
use crate::store::sessions::{self, NewSession};
use crate::store::{Transaction, known_devices, users};

/// Devices that are remembered of one user.
const MAX_DEVICES: u32 = 50;
/// While an account is younger than this, its first sign-in is taken to be its owner's.
const NEW_ACCOUNT_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Sign-ins of one user that happen at once, at most. With more, the next one ends what is beyond a limit.
const AT_ONCE: u32 = 32;
/// How long a second factor may take.
const PENDING_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Starts a session for an authenticated user. The only constructor of a session.
pub fn start_session(
    change: &Change<'_>,
    authentication: &Authentication,
    draft: &SessionDraft,
    now: Timestamp,
) -> Result<SessionStart> {
    let account = users::find(change, authentication.user)?;
    let Some(account) = account.filter(|account| authentication.holds(account)) else {
        return Ok(SessionStart::Outdated);
    };
    authentication.store_rehashed(change, now)?;
    let mut enrol_until = None;
    if authentication.methods.has_several_factors() {
        second_factor_rule::clear(change, &account.user)?;
    } else {
        let methods = second_factor_rule::methods(change, &draft.rule, &account.user)?;
        if !methods.is_empty() {
            let due =
                wait_for_second_factor(change, authentication, draft, &account, methods, now)?;
            let user = account.user.id;
            change.record(Event::SecondFactorDue { user });
            return Ok(SessionStart::SecondFactorDue(Box::new(due)));
        }
        match second_factor_rule::apply(change, &draft.rule, &account.user, now)? {
            Enrolment::NotRequired => {}
            Enrolment::Until(due) => enrol_until = Some(due),
            Enrolment::Overdue => {
                let user = account.user.id;
                change.record(Event::SecondFactorOverdue { user });
                return Ok(SessionStart::EnrolmentOverdue);
            }
        }
    }
    let replaced = match &draft.replaces {
        Some(token) => sessions::delete_by_digest(change, token)?,
        None => false,
    };
    let user = authentication.user;
    let expires_at = draft.new.expires_at;
    let new = NewSession {
        expires_at: enrol_until.map_or(expires_at, |due| due.min(expires_at)),
        ..draft.new.clone()
    };
    let session = sessions::insert(
        change,
        user,
        &new,
        (&authentication.methods, authentication.at),
        now,
    )?;
    let evicted = match draft.before.sessions_near_limit {
        true => sessions::delete_beyond(change, user, session.id, draft.max_per_user, now)?,
        false => 0,
    };
    let new_device = note_device(change, draft, &account.user, now)?;
    Ok(SessionStart::Session(Box::new(StartedSession {
        user: User {
            second_factor_due_at: enrol_until,
            ..account.user
        },
        session,
        evicted,
        replaced,
        new_device,
    })))
}

/// What came of starting a session. A start that ends as due or overdue is recorded.
#[derive(Clone, Debug)]
pub enum SessionStart {
    /// It was started.
    Session(Box<StartedSession>),
    /// The user has second factors and must present one of these first.
    SecondFactorDue(Box<SecondFactorDue>),
    /// The user must have a second factor, has none, and the time to set one up is over.
    EnrolmentOverdue,
    /// The account has changed since the authentication, which no longer holds; nothing was changed.
    Outdated,
}

/// A session that was started.
#[derive(Clone, Debug)]
pub struct StartedSession {
    /// Its user, as it is now.
    pub user: User,
    /// The session.
    pub session: Session,
    /// How many of the user's other sessions were ended to stay within the limit.
    pub evicted: usize,
    /// Whether the session of the cookie in the request ended; it may have been another user's.
    pub replaced: bool,
    /// Whether the account was used before, and never from this device.
    pub new_device: bool,
}

impl StartedSession {
    /// Records the sign-in that it came of.
    pub fn record(&self, change: &Change<'_>) {
        change.record(Event::SignedIn {
            user: self.session.user_id,
            session: self.session.id,
            methods: self.session.auth_methods.clone(),
            sessions_evicted: self.evicted,
            session_replaced: self.replaced,
            new_device: self.new_device,
        });
    }
}

/// A session to be started: what the transaction needs to know of it.
#[derive(Clone, Debug)]
pub struct SessionDraft {
    new: NewSession,
    max_per_user: u32,
    /// What was seen before the transaction.
    before: Before,
    /// The token of the session that it replaces: the one whose cookie the same browser carries.
    replaces: Option<TokenDigest>,
    /// What the device is recognised by.
    fingerprint: String,
    /// The notice of a new device; `None` where the settings turn it off.
    notice: Option<Notice>,
    /// Who must have a second factor.
    rule: Rule,
}

/// What was seen of a user before the transaction, which then reads less: what serializable transactions read of an index
/// on PostgreSQL, they lock by pages, so sign-ins of several users would be in each other's way.
#[derive(Clone, Copy, Debug)]
struct Before {
    /// Whether sessions may have to end for this one.
    sessions_near_limit: bool,
    /// Whether devices may have to be forgotten for this one.
    devices_near_limit: bool,
    /// Whether the device is known, and there is nothing to write about it.
    knows_device: bool,
}

/// For a draft that did not look.
impl Default for Before {
    fn default() -> Self {
        Self {
            sessions_near_limit: true,
            devices_near_limit: true,
            knows_device: false,
        }
    }
}

impl SessionDraft {
    /// A session of this client, and its token.
    pub fn new(
        context: &Context,
        client: &ClientInfo,
        remember: bool,
        now: Timestamp,
    ) -> Result<(Self, PlainToken)> {
        let token = PlainToken::generate(TokenKind::Session)?;
        let settings = &context.settings.session;
        let lifetime = if remember {
            settings.remember_lifetime
        } else {
            settings.lifetime
        };
        let user_agent = client.user_agent.as_deref().unwrap_or_default();
        let draft = Self {
            new: NewSession {
                token_digest: token.digest(),
                ip_address: client.ip.to_string(),
                user_agent: client.user_agent.clone(),
                expires_at: now + lifetime,
                remembered: remember,
                nonce: random_hex()?,
            },
            max_per_user: settings.max_per_user,
            before: Before::default(),
            replaces: client.cookie,
            fingerprint: pseudonym(
                &context.key_ring,
                Purpose::Device,
                &fingerprint(client.ip, user_agent),
            ),
            notice: context.notice(client, MailKind::NewDevice),
            rule: Rule::of(context),
        };
        Ok((draft, token))
    }

    /// For a transaction that changes what was looked at.
    pub fn forget_look(&mut self) {
        self.before = Before::default();
    }

    /// Looks at the sessions and devices of the user. At the limit of sessions, noted activity is written first, since the
    /// session to be ended is chosen by the rows.
    pub async fn look(&mut self, context: &Context, user: UserId, now: Timestamp) -> Result<()> {
        let fingerprint = self.fingerprint.clone();
        let looked = context.database.read(move |reader| {
            let sessions = sessions::count_for_user(reader, user)?;
            Ok((
                sessions,
                known_devices::look(reader, user, &fingerprint, now)?,
            ))
        });
        let (sessions, seen) = looked.await?;
        self.before = Before {
            sessions_near_limit: sessions.saturating_add(AT_ONCE) >= self.max_per_user,
            devices_near_limit: seen.devices.saturating_add(AT_ONCE) >= MAX_DEVICES,
            knows_device: seen.is_current,
        };
        if sessions >= self.max_per_user {
            context.activity.flush(&context.database).await?;
        }
        Ok(())
    }
}

/// Stores the sign-in until a second factor is presented.
fn wait_for_second_factor(
    tx: &Transaction<'_>,
    authentication: &Authentication,
    draft: &SessionDraft,
    account: &Account,
    methods: Vec<SecondFactor>,
    now: Timestamp,
) -> Result<SecondFactorDue> {
    let (token, expires_at) = (
        PlainToken::generate(TokenKind::PendingSignIn)?,
        now + PENDING_LIFETIME,
    );
    let pending = PendingSignIn {
        user_id: account.user.id,
        auth_methods: authentication.methods.clone(),
        credentials_version: account.credentials_version,
        remembered: draft.new.remembered,
        expires_at,
    };
    pending_sign_ins::insert(tx, &token.digest(), &pending)?;
    Ok(SecondFactorDue {
        pending_token: Zeroizing::new(token.reveal().to_owned()),
        methods,
        expires_at,
    })
}

/// Remembers the device; returns whether it is new to the account, which is then reported. The first device of a new
/// account is where it was created; that of an old account may be a thief's.
fn note_device(
    tx: &Transaction<'_>,
    draft: &SessionDraft,
    user: &User,
    now: Timestamp,
) -> Result<bool> {
    if draft.before.knows_device || !known_devices::note(tx, user.id, &draft.fingerprint, now)? {
        return Ok(false);
    }
    if draft.before.devices_near_limit {
        known_devices::delete_beyond(tx, user.id, MAX_DEVICES)?;
    }
    let is_young = now < user.created_at + NEW_ACCOUNT_AGE;
    if is_young && !known_devices::has_others(tx, user.id, &draft.fingerprint)? {
        return Ok(false);
    }
    mail::notify(tx, draft.notice.as_ref(), user, now)?;
    Ok(true)
}

/// What a device is recognised by: its network and its program. Another address of the same network or another version of
/// the same program is the same device.
fn fingerprint(ip: IpAddr, user_agent: &str) -> String {
    let network = match ip {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    };
    // Versions differ in how many numbers they have: 17.4 and 17.4.1, 10_15.
    let program = user_agent.replace(|c: char| c.is_ascii_digit() || c == '.' || c == '_', "");
    format!("{network}|{program}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_compared_by_network_and_program() {
        let of = |ip: &str, program: &str| fingerprint(ip.parse().unwrap(), program);
        assert_eq!(
            of("192.0.2.1", "Safari/17.4"),
            of("192.0.2.200", "Safari/18.0.1")
        );
        assert_ne!(
            of("192.0.2.1", "Safari/17.4"),
            of("192.0.3.1", "Safari/17.4")
        );
        assert_ne!(
            of("192.0.2.1", "Safari/17.4"),
            of("192.0.2.1", "Firefox/17.4")
        );
        assert_eq!(of("2001:db8:1:2::3", ""), of("2001:db8:1:ffff::", ""));
        assert_ne!(of("2001:db8:1::", ""), of("2001:db8:2::", ""));
    }
}
