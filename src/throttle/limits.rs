//! The limits, one row each: name, what it counts by, and the setting of its rate.
//!
//! To add a limit, add a row; where it is configurable by itself, also a rate in `config/limits.rs`.

use std::net::IpAddr;

use super::{Limit, Throttle, network};
use crate::crypto::key_ring::Purpose;
use crate::crypto::signed_message::pseudonym;
use crate::domain::{SessionId, UserId};

/// Each row `name by WHAT at RATE` becomes a method of [`Throttle`] that names one counter of the limit.
macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident by $by:ident at $rate:ident;)+) => {
        impl Throttle {
            $(limit!([$($doc),+] $name $by $rate);)+
        }
    };
}

macro_rules! limit {
    ([$($doc:literal),+] $name:ident network $rate:ident) => {
        $(#[doc = $doc])+
        pub fn $name(&self, client: IpAddr) -> Limit {
            Limit::new(stringify!($name), &network(client), self.settings.$rate)
        }
    };
    ([$($doc:literal),+] $name:ident address $rate:ident) => {
        $(#[doc = $doc])+
        pub fn $name(&self, address: &str) -> Limit {
            Limit::new(stringify!($name), &self.pseudonym(address), self.settings.$rate)
        }
    };
    ([$($doc:literal),+] $name:ident address_with_bypass $rate:ident) => {
        $(#[doc = $doc])+
        pub fn $name(&self, address: &str, client: IpAddr) -> Limit {
            let limit = Limit::new(stringify!($name), &self.pseudonym(address), self.settings.$rate);
            let bypass = format!("{}:{}", limit.shared, network(client));
            Limit { personal: self.settings.enabled.then_some(bypass), ..limit }
        }
    };
    ([$($doc:literal),+] $name:ident address_and_kind $rate:ident) => {
        $(#[doc = $doc])+
        pub fn $name(&self, kind: &str, address: &str) -> Limit {
            let counted = format!("{}:{kind}", self.pseudonym(address));
            Limit::new(stringify!($name), &counted, self.settings.$rate)
        }
    };
    ([$($doc:literal),+] $name:ident session $rate:ident) => {
        $(#[doc = $doc])+
        pub fn $name(&self, session: SessionId) -> Limit {
            Limit::new(stringify!($name), &session.0.to_string(), self.settings.$rate)
        }
    };
    ([$($doc:literal),+] $name:ident user $rate:ident) => {
        $(#[doc = $doc])+
        pub fn $name(&self, user: UserId) -> Limit {
            Limit::new(stringify!($name), &user.0.to_string(), self.settings.$rate)
        }
    };
}

limits! {
    /// Sign-in attempts.
    sign_in by network at sign_in;
    /// Sign-ups.
    sign_up by network at sign_up;
    /// New passwords, by a link or in an account. At the rate of sign-ups, since each costs as much.
    new_password by network at sign_up;
    /// Reauthentications. At the rate of sign-ups, since each costs as much.
    challenges_of_client by network at sign_up;
    /// Requests for a reset link.
    reset by network at reset;
    /// Requests for a verification link.
    confirmation by network at confirmation;
    /// Failed sign-ins to an address, registered or not.
    address_failures by address_with_bypass at address_failures;
    /// Reset mails to an address, registered or not.
    reset_mails by address at reset_mails;
    /// Requested verification mails to an address, registered or not.
    confirmation_mails by address at confirmation_mails;
    /// Verification mails to an address at sign-up. Separate from requested ones: otherwise requests for an address
    /// without an account could use up the mails that its owner needs at sign-up.
    sign_up_mails by address at confirmation_mails;
    /// Verification mails to an address that a user wants to change to; separate for the same reason.
    address_change_mails by address at confirmation_mails;
    /// Notices of one kind to an address.
    notices by address_and_kind at notices;
    /// Reauthentications in a session.
    challenges by session at challenges;
    /// Requests for a new address.
    address_changes by user at address_changes;
    /// API keys created.
    api_keys by user at api_keys;
    /// Access tokens for a session or a refresh token.
    tokens by user at tokens;
}

impl Throttle {
    /// The database holds no address that has no account.
    fn pseudonym(&self, address: &str) -> String {
        pseudonym(&self.key_ring, Purpose::ThrottledAddress, address)
    }
}
