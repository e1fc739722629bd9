//! The tokens of the links in mails: their lifetimes and the facts that they are bound to.
//!
//! # Threats
//! - a link used after the password or the address changed: it is bound to the account's
//!   [`credentials_version`](Account::credentials_version), which both increment, so that it stays invalid even if the
//!   old address returns

use std::time::Duration;

use crate::crypto::hex;
use crate::crypto::key_ring::{KeyRing, Purpose};
use crate::crypto::signed_message::{self, SignedMessage};
use crate::domain::clock::Timestamp;
use crate::domain::{Account, EmailAddress, TokenDigest};

pub use crate::domain::mail_kind::{
    CONFIRMATION_LIFETIME, IDENTITY_LINK_LIFETIME, MAIL_CODE_LIFETIME, RESET_LIFETIME,
};

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

/// Verifies such a token; `None` if it is malformed, forged or expired. [`reset_holds`] compares it with the account.
pub fn verify_reset(key_ring: &KeyRing, token: &str, now: Timestamp) -> Option<SignedMessage> {
    signed_message::verify(key_ring, Purpose::PasswordReset, token, RESET_LIFETIME, now)
}

/// Whether neither password nor address has changed since the link was signed, and the account is not disabled.
pub fn reset_holds(link: &SignedMessage, account: &Account) -> bool {
    account.user.disabled_at.is_none() && link.is_bound_to(&reset_binding(account))
}

/// The token of a link that verifies `address`, to which it is sent: the account's address or the requested new one.
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

/// Verifies such a token; `None` if it is malformed, forged or expired. [`confirmed_address`] compares it with the
/// account.
pub fn verify_confirmation(
    key_ring: &KeyRing,
    token: &str,
    now: Timestamp,
) -> Option<SignedMessage> {
    signed_message::verify(
        key_ring,
        Purpose::Confirmation,
        token,
        CONFIRMATION_LIFETIME,
        now,
    )
}

/// Which address of an account a link verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmedAddress {
    /// The account's address.
    Current,
    /// The requested new address.
    Pending,
    /// The account's address, which is verified already: the link was used before.
    Verified,
}

/// Which address the link was sent to; `None` if it is neither of them now, or the account is disabled.
pub fn confirmed_address(link: &SignedMessage, account: &Account) -> Option<ConfirmedAddress> {
    let went_to = |address: &EmailAddress| link.is_bound_to(&address_binding(account, address));
    if account.user.disabled_at.is_some() {
        None
    } else if went_to(&account.user.email_address) {
        Some(match account.user.email_confirmed_at {
            None => ConfirmedAddress::Current,
            Some(_) => ConfirmedAddress::Verified,
        })
    } else {
        account
            .pending_email_address
            .as_ref()
            .filter(|pending| went_to(pending))
            .map(|_| ConfirmedAddress::Pending)
    }
}

/// The token of a link that unlocks the address of `account` after too many failed sign-ins. It is valid until the
/// limit's window ends, which identifies the window.
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

/// Verifies such a token, where windows have this length; `None` if it is malformed, forged or its window has ended.
/// [`unlock_holds`] compares it with the account.
pub fn verify_unlock(
    key_ring: &KeyRing,
    token: &str,
    window: Duration,
    now: Timestamp,
) -> Option<SignedMessage> {
    signed_message::verify(key_ring, Purpose::Unlock, token, window, now)
}

/// Whether neither password nor address has changed since the link was signed, and the account is not disabled.
pub fn unlock_holds(link: &SignedMessage, account: &Account) -> bool {
    account.user.disabled_at.is_none()
        && link.is_bound_to(&address_binding(account, &account.user.email_address))
}

/// The token of the link in the mail with a code: for this request, and the account as it is.
pub fn sign_mail_link(
    key_ring: &KeyRing,
    account: &Account,
    request: &TokenDigest,
    expires_at: Timestamp,
) -> String {
    let binding = mail_link_binding(request, account.credentials_version);
    signed_message::sign(
        key_ring,
        Purpose::MailLink,
        account.user.id,
        expires_at,
        &binding,
    )
}

/// Verifies such a token; `None` if it is malformed, forged or expired. [`mail_link_is_for`] finds its request.
pub fn verify_mail_link(key_ring: &KeyRing, token: &str, now: Timestamp) -> Option<SignedMessage> {
    signed_message::verify(key_ring, Purpose::MailLink, token, MAIL_CODE_LIFETIME, now)
}

/// Whether the link was mailed for this request, to an account with this `credentials_version`.
pub fn mail_link_is_for(
    link: &SignedMessage,
    request: &TokenDigest,
    credentials_version: i64,
) -> bool {
    link.is_bound_to(&mail_link_binding(request, credentials_version))
}

fn mail_link_binding(request: &TokenDigest, credentials_version: i64) -> [String; 2] {
    [hex(request.as_bytes()), credentials_version.to_string()]
}

/// The token of a link that links an identity to `account`: that of the request with this id. `identity` is what the
/// request stores of it, since a restored backup repeats ids.
pub fn sign_identity_link(
    key_ring: &KeyRing,
    account: &Account,
    (request, identity): (i64, &str),
    expires_at: Timestamp,
) -> String {
    signed_message::sign(
        key_ring,
        Purpose::IdentityLink,
        account.user.id,
        expires_at,
        &identity_link_binding(account, request, identity),
    )
}

/// Verifies such a token; `None` if it is malformed, forged or expired. [`identity_link_is_for`] finds its request.
pub fn verify_identity_link(
    key_ring: &KeyRing,
    token: &str,
    now: Timestamp,
) -> Option<SignedMessage> {
    let lifetime = IDENTITY_LINK_LIFETIME;
    signed_message::verify(key_ring, Purpose::IdentityLink, token, lifetime, now)
}

/// Whether the link was mailed for this request to the account as it is now, which is not disabled.
pub fn identity_link_is_for(
    link: &SignedMessage,
    account: &Account,
    (request, identity): (i64, &str),
) -> bool {
    account.user.disabled_at.is_none()
        && link.is_bound_to(&identity_link_binding(account, request, identity))
}

fn identity_link_binding(account: &Account, request: i64, identity: &str) -> [String; 4] {
    let [address, version] = address_binding(account, &account.user.email_address);
    [request.to_string(), identity.to_owned(), address, version]
}

/// Includes the digest: of two concurrent resets one wins. A sign-in that replaces the digest because of a new cost
/// also invalidates reset links, which is safe.
fn reset_binding(account: &Account) -> [String; 3] {
    let [address, version] = address_binding(account, &account.user.email_address);
    let digest = account.password_digest.as_ref();
    [
        digest.map_or_else(String::new, |digest| digest.as_str().to_owned()),
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
    use crate::domain::{JsonObject, PasswordDigest, Role, User, UserId};

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
                role: Role::User,
                second_factor_due_at: None,
                name: None,
                profile: JsonObject::default(),
                metadata: JsonObject::default(),
                locale: None,
            },
            password_digest: Some(PasswordDigest::new("$2b$04$digest".to_owned())),
            pending_email_address: Some(address("new@example.com")),
            credentials_version: 7,
            links_by_address: true,
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
        let mut disabled = account.clone();
        disabled.user.disabled_at = Some(NOW);
        assert_eq!(which("one@example.com", &disabled), None);

        let mut verified = account;
        verified.user.email_confirmed_at = Some(NOW);
        let used = Some(ConfirmedAddress::Verified);
        assert_eq!(which("one@example.com", &verified), used);
        verified.credentials_version += 1;
        assert_eq!(which("one@example.com", &verified), None);
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
        let unlock = verify_unlock(
            &key_ring,
            &sign_unlock(&key_ring, &before, end),
            RESET_LIFETIME,
            NOW,
        )
        .unwrap();
        assert!(unlock_holds(&unlock, &before) && !unlock_holds(&unlock, &after));
    }

    fn request(letter: u8) -> TokenDigest {
        TokenDigest::new([letter; 32])
    }

    #[test]
    fn a_mail_link_is_bound_to_its_request() {
        let (key_ring, account) = (key_ring(), account());
        let end = NOW + MAIL_CODE_LIFETIME;
        let token = sign_mail_link(&key_ring, &account, &request(1), end);
        let link = verify_mail_link(&key_ring, &token, NOW).unwrap();
        assert!(mail_link_is_for(&link, &request(1), 7));
        assert!(!mail_link_is_for(&link, &request(2), 7));
        assert!(!mail_link_is_for(&link, &request(1), 8));
    }

    #[test]
    fn an_identity_link_is_bound_to_request_and_account() {
        let (key_ring, account) = (key_ring(), account());
        let end = NOW + IDENTITY_LINK_LIFETIME;
        let token = sign_identity_link(&key_ring, &account, (1, "{}"), end);
        let link = verify_identity_link(&key_ring, &token, NOW).unwrap();
        assert!(identity_link_is_for(&link, &account, (1, "{}")));
        assert!(!identity_link_is_for(&link, &account, (2, "{}")));
        assert!(!identity_link_is_for(&link, &account, (1, "{ }")));
        let changes: [fn(&mut Account); 3] = [
            |account| account.credentials_version = 8,
            |account| account.user.email_address = address("two@example.com"),
            |account| account.user.disabled_at = Some(NOW),
        ];
        for change in changes {
            let mut changed = account.clone();
            change(&mut changed);
            assert!(!identity_link_is_for(&link, &changed, (1, "{}")));
        }
    }

    #[test]
    fn links_are_bound_to_kind_and_expiry() {
        let (key_ring, account) = (key_ring(), account());
        let end = NOW + RESET_LIFETIME;
        let read = |token: &str, now: Timestamp| {
            [
                verify_reset(&key_ring, token, now),
                verify_confirmation(&key_ring, token, now),
                verify_unlock(&key_ring, token, RESET_LIFETIME, now),
                verify_mail_link(&key_ring, token, now),
                verify_identity_link(&key_ring, token, now),
            ]
            .map(|link| link.is_some())
        };
        for (at, token) in [
            sign_reset(&key_ring, &account, end),
            sign_confirmation(&key_ring, &account, &account.user.email_address, end),
            sign_unlock(&key_ring, &account, end),
            sign_mail_link(&key_ring, &account, &request(1), end),
            sign_identity_link(&key_ring, &account, (1, "{}"), end),
        ]
        .iter()
        .enumerate()
        {
            let mut expected = [false; 5];
            assert_eq!(read(token, end), expected);
            expected[at] = true;
            assert_eq!(
                read(token, end - std::time::Duration::from_millis(1)),
                expected
            );
        }
    }
}
