//! The links that stand in mails: where they lead, how long they live and what they die with.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::Settings;
use crate::keys::{Keys, Purpose};
use crate::model::EmailAddress;
use crate::signed::{self, SignedMessage};
use crate::store::users::Account;

/// How long a reset link works, counted from the request for it.
pub const RESET_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// How long a link that confirms an address works.
pub const CONFIRMATION_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// The token of a link that resets the password of `account`.
pub fn sign_reset(keys: &Keys, account: &Account, expires_at: Timestamp) -> String {
    signed::sign(keys, Purpose::PasswordReset, account.user.id, expires_at, &reset_binding(account))
}

/// Reads such a token; `None` when it is malformed, forged or expired. Whether it still
/// [holds](reset_holds) is known only with the account at hand.
pub fn verify_reset(keys: &Keys, token: &str, now: Timestamp) -> Option<SignedMessage> {
    signed::verify(keys, Purpose::PasswordReset, token, now)
}

/// Whether neither password nor address have changed since the link was signed, and the account may be used.
pub fn reset_holds(link: &SignedMessage, account: &Account) -> bool {
    account.user.disabled_at.is_none() && link.is_bound_to(&reset_binding(account))
}

/// What the mail shows.
pub fn reset_url(settings: &Settings, token: &str) -> String {
    settings.frontend_link(&format!("/passwords/{token}/edit"))
}

/// The token of a link that confirms `address`, the account's own or its pending one.
pub fn sign_confirmation(
    keys: &Keys,
    account: &Account,
    address: &EmailAddress,
    expires_at: Timestamp,
) -> String {
    let version = account.credentials_version.to_string();
    let parts = [address.as_str(), &version];
    signed::sign(keys, Purpose::Confirmation, account.user.id, expires_at, &parts)
}

/// What the mail shows.
pub fn confirmation_url(settings: &Settings, token: &str) -> String {
    settings.frontend_link(&format!("/confirmations/{token}"))
}

/// The token of a link that lifts the throttle on the account's address, whose window ends at `expires_at`.
pub fn sign_unlock(keys: &Keys, account: &Account, expires_at: Timestamp) -> String {
    let version = account.credentials_version.to_string();
    let parts = [account.user.email_address.as_str(), &version];
    signed::sign(keys, Purpose::Unlock, account.user.id, expires_at, &parts)
}

/// What the mail shows.
pub fn unlock_url(settings: &Settings, token: &str) -> String {
    settings.frontend_link(&format!("/unlocks/{token}"))
}

fn reset_binding(account: &Account) -> [&str; 2] {
    [account.password_digest.as_str(), account.user.email_address.as_str()]
}
