//! The links that stand in mails: where they lead, how long they live and what they die with.
//!
//! Each is bound to the account's [`credentials_version`](Account::credentials_version): a change of the password or
//! the address counts it up, and every link signed before is void, even when the old address comes back.

use crate::config::Settings;
use crate::crypto::key_ring::{KeyRing, Purpose};
use crate::crypto::signed_message::{self, SignedMessage};
use crate::domain::clock::Timestamp;
use crate::domain::{Account, EmailAddress};

pub use crate::domain::mail_kind::{CONFIRMATION_LIFETIME, RESET_LIFETIME};

/// The token of a link that resets the password of `account`.
pub fn sign_reset(key_ring: &KeyRing, account: &Account, expires_at: Timestamp) -> String {
    signed_message::sign(
        key_ring,
        Purpose::PasswordReset,
        account.user.id,
        expires_at,
        &reset_binding(account),
    )
}

/// Reads such a token; `None` when it is malformed, forged or expired. Whether it still
/// [holds](reset_holds) is known only with the account at hand.
pub fn verify_reset(key_ring: &KeyRing, token: &str, now: Timestamp) -> Option<SignedMessage> {
    signed_message::verify(key_ring, Purpose::PasswordReset, token, now)
}

/// Whether neither password nor address have changed since the link was signed, and the account may be used.
pub fn reset_holds(link: &SignedMessage, account: &Account) -> bool {
    account.user.disabled_at.is_none() && link.is_bound_to(&reset_binding(account))
}

/// `{frontend_url}/passwords/{token}/edit`, as the mail shows it.
pub fn reset_url(settings: &Settings, token: &str) -> String {
    settings.frontend_link(&format!("/passwords/{token}/edit"))
}

/// The token of a link that confirms `address`, the one that it is mailed to: the account's own, or the one that is to
/// take its place.
pub fn sign_confirmation(
    key_ring: &KeyRing,
    account: &Account,
    address: &EmailAddress,
    expires_at: Timestamp,
) -> String {
    let binding = address_binding(account, address);
    signed_message::sign(
        key_ring,
        Purpose::Confirmation,
        account.user.id,
        expires_at,
        &binding,
    )
}

/// Reads such a token; `None` when it is malformed, forged or expired. [What it confirms](what_it_confirms) is known only with the
/// account at hand.
pub fn verify_confirmation(
    key_ring: &KeyRing,
    token: &str,
    now: Timestamp,
) -> Option<SignedMessage> {
    signed_message::verify(key_ring, Purpose::Confirmation, token, now)
}

/// Which address of an account a link confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmedAddress {
    /// The one that it has.
    Current,
    /// The one that was asked for in its place.
    Pending,
}

/// Which address the link went to; `None` when it is neither any more, or the account may not be used.
pub fn confirmed_address(link: &SignedMessage, account: &Account) -> Option<ConfirmedAddress> {
    let went_to = |address: &EmailAddress| link.is_bound_to(&address_binding(account, address));
    if account.user.disabled_at.is_some() {
        None
    } else if went_to(&account.user.email_address) {
        Some(ConfirmedAddress::Current)
    } else {
        account
            .pending_email_address
            .as_ref()
            .filter(|pending| went_to(pending))
            .map(|_| ConfirmedAddress::Pending)
    }
}

/// `{frontend_url}/confirmations/{token}`, as the mail shows it.
pub fn confirmation_url(settings: &Settings, token: &str) -> String {
    settings.frontend_link(&format!("/confirmations/{token}"))
}

/// The token of a link that lifts the limit on failed sign-ins to the address of `account`, until the limit's window
/// ends: which window it is, its end tells.
pub fn sign_unlock(key_ring: &KeyRing, account: &Account, window_end: Timestamp) -> String {
    let binding = address_binding(account, &account.user.email_address);
    signed_message::sign(
        key_ring,
        Purpose::Unlock,
        account.user.id,
        window_end,
        &binding,
    )
}

/// Reads such a token; `None` when it is malformed, forged or its window is over. Whether it still
/// [holds](unlock_holds) is known only with the account at hand.
pub fn verify_unlock(key_ring: &KeyRing, token: &str, now: Timestamp) -> Option<SignedMessage> {
    signed_message::verify(key_ring, Purpose::Unlock, token, now)
}

/// Whether neither password nor address have changed since the link was signed, and the account may be used.
pub fn unlock_holds(link: &SignedMessage, account: &Account) -> bool {
    account.user.disabled_at.is_none()
        && link.is_bound_to(&address_binding(account, &account.user.email_address))
}

/// `{frontend_url}/unlocks/{token}`, as the mail shows it.
pub fn unlock_url(settings: &Settings, token: &str) -> String {
    settings.frontend_link(&format!("/unlocks/{token}"))
}

/// The digest besides: a sign-in that writes it at a new cost voids a reset link too, which is safe, and of two resets
/// that race one wins.
fn reset_binding(account: &Account) -> [String; 3] {
    let [address, version] = address_binding(account, &account.user.email_address);
    [
        account.password_digest.as_str().to_owned(),
        address,
        version,
    ]
}

fn address_binding(account: &Account, address: &EmailAddress) -> [String; 2] {
    [
        address.as_str().to_owned(),
        account.credentials_version.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use crate::domain::{PasswordDigest, User, UserId};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn key_ring() -> KeyRing {
        KeyRing::new(Secret::from("k".repeat(32)), vec![])
    }

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    fn account() -> Account {
        Account {
            user: User {
                id: UserId(1),
                email_address: address("one@example.com"),
                email_confirmed_at: None,
                disabled_at: None,
                created_at: NOW,
                updated_at: NOW,
            },
            password_digest: PasswordDigest::new("$2b$04$digest".to_owned()),
            pending_email_address: Some(address("new@example.com")),
            credentials_version: 7,
        }
    }

    #[test]
    fn a_link_verifies_only_its_own_address() {
        let (key_ring, account) = (key_ring(), account());
        let which = |text: &str, account: &Account| {
            let token = sign_confirmation(
                &key_ring,
                &self::account(),
                &address(text),
                NOW + CONFIRMATION_LIFETIME,
            );
            confirmed_address(
                &verify_confirmation(&key_ring, &token, NOW).unwrap(),
                account,
            )
        };
        assert_eq!(
            which("one@example.com", &account),
            Some(ConfirmedAddress::Current)
        );
        assert_eq!(
            which("new@example.com", &account),
            Some(ConfirmedAddress::Pending)
        );
        assert_eq!(which("other@example.com", &account), None);
        assert_eq!(
            which(
                "new@example.com",
                &Account {
                    pending_email_address: None,
                    ..account.clone()
                }
            ),
            None
        );
        let mut disabled = account;
        disabled.user.disabled_at = Some(NOW);
        assert_eq!(which("one@example.com", &disabled), None);
    }

    #[test]
    fn a_new_credential_version_revokes_every_link() {
        let (key_ring, before) = (key_ring(), account());
        let after = Account {
            credentials_version: 8,
            ..before.clone()
        };
        let end = NOW + RESET_LIFETIME;
        let reset = verify_reset(&key_ring, &sign_reset(&key_ring, &before, end), NOW).unwrap();
        assert!(reset_holds(&reset, &before) && !reset_holds(&reset, &after));
        let token = sign_confirmation(&key_ring, &before, &before.user.email_address, end);
        let confirmation = verify_confirmation(&key_ring, &token, NOW).unwrap();
        assert!(
            confirmed_address(&confirmation, &before).is_some()
                && confirmed_address(&confirmation, &after).is_none()
        );
        let unlock = verify_unlock(&key_ring, &sign_unlock(&key_ring, &before, end), NOW).unwrap();
        assert!(unlock_holds(&unlock, &before) && !unlock_holds(&unlock, &after));
    }

    #[test]
    fn links_are_bound_to_kind_and_expiry() {
        let (key_ring, account) = (key_ring(), account());
        let end = NOW + RESET_LIFETIME;
        let read = |token: &str, now: Timestamp| {
            [
                verify_reset(&key_ring, token, now),
                verify_confirmation(&key_ring, token, now),
                verify_unlock(&key_ring, token, now),
            ]
            .map(|link| link.is_some())
        };
        for (at, token) in [
            sign_reset(&key_ring, &account, end),
            sign_confirmation(&key_ring, &account, &account.user.email_address, end),
            sign_unlock(&key_ring, &account, end),
        ]
        .iter()
        .enumerate()
        {
            let mut expected = [false; 3];
            assert_eq!(read(token, end), expected);
            expected[at] = true;
            assert_eq!(
                read(token, end - std::time::Duration::from_millis(1)),
                expected
            );
        }
    }
}
