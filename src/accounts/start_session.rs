//! Starting a session: every way to sign in ends here.
//!
//! # Threats
//! - a password changed while it was verified: the authentication must still hold inside the transaction
//! - a stolen password of an account with a second factor: no session starts without the factor
//! - a sign-in that the owner did not make: a device that the account was not used from before is reported by mail
//! - a session planted by cookie: the token is always new, and the session of the cookie in the request ends

use std::net::IpAddr;
use std::time::Duration;

use super::authentication::Authentication;
use crate::context::{Change, Context};
use crate::crypto::key_ring::Purpose;
use crate::crypto::signed_message::pseudonym;
use crate::crypto::token::{PlainToken, TokenKind, random_hex};
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::mail_kind::MailKind;
use crate::domain::{ClientInfo, SecondFactor, Session, TokenDigest, UserId};
use crate::mail::{self, Notice};
use crate::store::known_devices::{self, Sighting};
use crate::store::sessions::{self, NewSession};
use crate::store::{Reader, Transaction, users};

/// Devices that are remembered of one user.
const MAX_DEVICES: u32 = 50;
/// While an account is younger than this, its first sign-in is taken to be its owner's.
const NEW_ACCOUNT_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Starts a session for an authenticated user. The only constructor of a session.
pub fn start_session(
    change: &Change<'_>,
    authentication: &Authentication,
    draft: &SessionDraft,
    now: Timestamp,
) -> Result<SessionStart> {
    if !authentication.still_holds(change)? {
        return Ok(SessionStart::Outdated);
    }
    if !(draft.second_factors)(change, authentication.user)?.is_empty() {
        return Ok(SessionStart::SecondFactorDue);
    }
    authentication.store_rehashed(change, now)?;
    let replaced = match &draft.replaces {
        Some(token) => sessions::delete_by_digest(change, token)?,
        None => false,
    };
    let user = authentication.user;
    let session = sessions::insert(
        change,
        user,
        &draft.new,
        (&authentication.methods, authentication.at),
        now,
    )?;
    let evicted = sessions::delete_beyond(change, user, session.id, draft.max_per_user, now)?;
    let new_device = note_device(change, draft, user, now)?;
    Ok(SessionStart::Session(StartedSession {
        session,
        evicted,
        replaced,
        new_device,
    }))
}

/// What came of starting a session.
#[derive(Clone, Debug)]
pub enum SessionStart {
    /// It was started.
    Session(StartedSession),
    /// The user has second factors and must present one of these first; nothing was changed.
    SecondFactorDue,
    /// The account has changed since the authentication, which no longer holds; nothing was changed.
    Outdated,
}

/// A session that was started.
#[derive(Clone, Debug)]
pub struct StartedSession {
    /// The session.
    pub session: Session,
    /// How many of the user's other sessions were ended to stay within the limit.
    pub evicted: usize,
    /// Whether the session of the cookie in the request ended; it may have been another user's.
    pub replaced: bool,
    /// Whether the account was used before, and never from this device.
    pub new_device: bool,
}

/// A session to be started: what the transaction needs to know of it.
#[derive(Clone, Debug)]
pub struct SessionDraft {
    new: NewSession,
    max_per_user: u32,
    /// The token of the session that it replaces: the one whose cookie the same browser carries.
    replaces: Option<TokenDigest>,
    /// What the device is recognised by.
    fingerprint: String,
    /// The notice of a new device; `None` where the settings turn it off.
    notice: Option<Notice>,
    second_factors: fn(&Reader<'_>, UserId) -> Result<Vec<SecondFactor>>,
}

impl SessionDraft {
    /// A session of this client, with its new token.
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
            replaces: client.cookie,
            fingerprint: pseudonym(
                &context.key_ring,
                Purpose::Device,
                &fingerprint(client.ip, user_agent),
            ),
            notice: context.notice(client, MailKind::NewDevice),
            second_factors: context.second_factors,
        };
        Ok((draft, token))
    }

    /// Writes noted activity first where the user is at the limit: the session to be ended is chosen by the rows.
    pub async fn make_room(&self, context: &Context, user: UserId) -> Result<()> {
        let count = context
            .database
            .read(move |reader| sessions::count_for_user(reader, user))
            .await?;
        if count >= self.max_per_user {
            context.activity.flush(&context.database).await?;
        }
        Ok(())
    }
}

/// Remembers the device; returns whether it is new to the account, which is then reported. The first device of a new
/// account is where it was created; that of an old account may be a thief's.
fn note_device(
    tx: &Transaction<'_>,
    draft: &SessionDraft,
    user: UserId,
    now: Timestamp,
) -> Result<bool> {
    let sighting = known_devices::note(tx, user, &draft.fingerprint, now)?;
    if sighting == Sighting::Known {
        return Ok(false);
    }
    known_devices::delete_beyond(tx, user, MAX_DEVICES)?;
    let Some(account) = users::find(tx, user)? else {
        return Ok(false);
    };
    if sighting == Sighting::First && now < account.user.created_at + NEW_ACCOUNT_AGE {
        return Ok(false);
    }
    mail::notify(tx, draft.notice.as_ref(), &account.user, now)?;
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
