//! Where every way in ends: a session is started, those that it pushes out end, and a device that the account was not
//! used from before is told to its owner.

use std::net::IpAddr;
use std::time::Duration;

use crate::context::Context;
use crate::crypto::key_ring::Purpose;
use crate::crypto::signed_message::pseudonym;
use crate::crypto::token::{PlainToken, TokenDigest, TokenKind};
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::mail_kind::MailKind;
use crate::domain::{Session, UserId};
use crate::http::ClientInfo;
use crate::mail::{self, Notice};
use crate::store::known_devices::{self, Sighting};
use crate::store::sessions::{self as rows, NewSession};
use crate::store::{Transaction, users};

/// Devices that are remembered of one user.
const MAX_DEVICES: u32 = 50;
/// While an account is younger than this, its first sign-in is taken to be its maker's.
const NEW_ACCOUNT_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// A session about to be started. Every way in ends here: sign-up, sign-in, whatever comes later.
#[derive(Clone, Debug)]
pub(in crate::features) struct SessionStart {
    new: NewSession,
    max_per_user: u32,
    /// The session that ends for it, by its token: the one whose cookie the same browser carries.
    replaces: Option<TokenDigest>,
    /// What the device is known by.
    fingerprint: String,
    /// What the owner is told of one that is new; `None` where the operator wants no such mail.
    notice: Option<Notice>,
}

/// A session that was started.
#[derive(Clone, Debug)]
pub(in crate::features) struct StartedSession {
    pub(in crate::features) session: Session,
    /// How many of the user's others ended for it.
    pub(in crate::features) evicted: usize,
    /// Whether the session of the cookie that came along ended for it; it may have been another user's.
    pub(in crate::features) replaced: bool,
    /// Whether the account was used before, and never from this device.
    pub(in crate::features) new_device: bool,
}

impl SessionStart {
    /// A fresh token, and all that the transaction needs to know of it.
    pub(in crate::features) fn prepare(
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
        let new = NewSession {
            token_digest: token.digest(),
            ip_address: client.ip.to_string(),
            user_agent: client.user_agent.clone(),
            expires_at: now + lifetime,
        };
        let opening = Self {
            new,
            max_per_user: settings.max_per_user,
            replaces: client.cookie,
            fingerprint: pseudonym(
                &context.key_ring,
                Purpose::Device,
                &fingerprint(client.ip, client.user_agent.as_deref().unwrap_or_default()),
            ),
            notice: context.notice(client, MailKind::NewDevice),
        };
        Ok((opening, token))
    }

    /// Writes noted activity first if this user is at the cap: the session to end is chosen by the rows.
    pub(in crate::features) async fn make_ready(
        &self,
        context: &Context,
        user_id: UserId,
    ) -> Result<()> {
        let count = context
            .database
            .read(move |reader| rows::count_for_user(reader, user_id))
            .await?;
        if count >= self.max_per_user {
            context.activity.flush(&context.database).await?;
        }
        Ok(())
    }

    /// Starts it in the place of the one that it replaces; beyond the number that a user may have, the least recently
    /// active one ends.
    pub(in crate::features) fn start(
        &self,
        tx: &Transaction<'_>,
        user_id: UserId,
        now: Timestamp,
    ) -> Result<StartedSession> {
        let replaced = match &self.replaces {
            Some(digest) => rows::delete_by_digest(tx, digest)?,
            None => false,
        };
        let session = rows::insert(tx, user_id, &self.new, now)?;
        let evicted = rows::delete_beyond(tx, user_id, session.id, self.max_per_user, now)?;
        let new_device = self.note_device(tx, user_id, now)?;
        Ok(StartedSession {
            session,
            evicted,
            replaced,
            new_device,
        })
    }

    /// Whether the device is one more than those known. The first one of a young account is nothing to tell: it is
    /// where the account was made. That of an old one may be anybody's.
    fn note_device(&self, tx: &Transaction<'_>, user_id: UserId, now: Timestamp) -> Result<bool> {
        let sighting = known_devices::note(tx, user_id, &self.fingerprint, now)?;
        if sighting == Sighting::Known {
            return Ok(false);
        }
        known_devices::delete_beyond(tx, user_id, MAX_DEVICES)?;
        let Some(account) = users::find(tx, user_id)? else {
            return Ok(false);
        };
        if sighting == Sighting::First && now < account.user.created_at + NEW_ACCOUNT_AGE {
            return Ok(false);
        }
        mail::notify(tx, self.notice.as_ref(), &account.user, now)?;
        Ok(true)
    }
}

/// A device, as far as it can be told: the network and the program. Neither another address of one network nor
/// another version of one program is another device.
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
    // Versions differ in how many numbers they have, too: 17.4 and 17.4.1, 10_15.
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
