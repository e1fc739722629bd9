//! The limits, one row each: name, what it counts by, and the setting of its rate.
//!
//! To add a limit, add a row; where it is configurable by itself, also a rate in `config/limits.rs`.

use std::net::IpAddr;

use super::{Counter, Limit, Throttle};
use crate::config::{self, Rate};
use crate::crypto::key_ring::Purpose;
use crate::crypto::signed_message::pseudonym;
use crate::domain::{EmailAddress, Network, SessionId, UserId};

/// A row of the table.
pub(super) struct Row {
    pub name: &'static str,
    pub by: By,
    pub rate: fn(&config::Throttle) -> Rate,
}

/// What a limit counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The client's networks.
    Network,
    /// The address as it was typed.
    Address,
    /// The mailbox that mails to the address reach.
    Mailbox,
    Session,
    User,
}

/// Each row `name by WHAT at RATE` becomes a row of [`LIMITS`], and a method of [`Throttle`] that names the counters of
/// the limit.
macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident by $by:ident at $rate:ident;)+) => {
        /// Every limit.
        pub(super) const LIMITS: &[Row] = &[$(Row {
            name: stringify!($name),
            by: By::$by,
            rate: |settings| settings.$rate,
        }),+];

        /// The setting and the description of each row.
        #[cfg(test)]
        pub(super) const ABOUT: &[(&str, &[&str])] = &[$((stringify!($rate), &[$($doc),+])),+];

        impl Throttle {
            $(limit!([$($doc),+] $name $by $rate);)+
        }
    };
}

macro_rules! limit {
    ([$($doc:literal),+] $name:ident Network $rate:ident) => {
        $(#[doc = $doc])+
        pub fn $name(&self, client: IpAddr) -> Limit {
            self.by_network(stringify!($name), self.settings.$rate, client)
        }
    };
    ([$($doc:literal),+] $name:ident Address $rate:ident) => {
        $(#[doc = $doc])+
        /// The client's network may have a bypass.
        pub fn $name(&self, address: &str, client: IpAddr) -> Limit {
            let counted = self.pseudonym(address);
            let limit = Limit::new(stringify!($name), &counted, self.settings.$rate);
            let bypass = format!("{}:{counted}:{}", limit.what, Network::of_client(client));
            Limit { bypass: self.settings.enabled.then_some(bypass), ..limit }
        }
    };
    ([$($doc:literal),+] $name:ident Mailbox $rate:ident) => {
        $(#[doc = $doc])+
        pub fn $name(&self, address: &EmailAddress) -> Limit {
            let counted = self.pseudonym(&address.mailbox());
            Limit::new(stringify!($name), &counted, self.settings.$rate)
        }
    };
    ([$($doc:literal),+] $name:ident Session $rate:ident) => {
        $(#[doc = $doc])+
        pub fn $name(&self, session: SessionId) -> Limit {
            Limit::new(stringify!($name), &session.0.to_string(), self.settings.$rate)
        }
    };
    ([$($doc:literal),+] $name:ident User $rate:ident) => {
        $(#[doc = $doc])+
        pub fn $name(&self, user: UserId) -> Limit {
            Limit::new(stringify!($name), &user.0.to_string(), self.settings.$rate)
        }
    };
}

limits! {
    /// Sign-in attempts. A success returns its count.
    sign_in by Network at sign_in;
    /// Sign-ups.
    sign_up by Network at sign_up;
    /// Sign-ins by other providers that are started.
    provider_sign_in by Network at provider_sign_in;
    /// Sign-ins that come back from other providers.
    provider_callback by Network at provider_sign_in;
    /// New passwords, by a link or in an account. At the rate of sign-ups, since each costs as much.
    new_password by Network at sign_up;
    /// Reauthentications. At the rate of sign-ups, since each costs as much.
    challenges_of_client by Network at sign_up;
    /// Requests for a reset link.
    reset by Network at reset;
    /// Requests for a verification link.
    confirmation by Network at confirmation;
    /// Requests for a mailed code.
    mail_code by Network at mail_code;
    /// Requests for a mailed code for an address, registered or not, from one network.
    mail_codes by Mailbox at mail_codes;
    /// Mails with a code to an address, registered or not.
    mail_code_mails by Mailbox at mail_code_mails;
    /// Mails with a link that links an account at another provider, to an address that has an account here.
    identity_link_mails by Mailbox at reset_mails;
    /// Failed sign-ins to an address, registered or not.
    address_failures by Address at address_failures;
    /// Reset mails to an address, registered or not.
    reset_mails by Mailbox at reset_mails;
    /// Requested verification mails to an address, registered or not.
    confirmation_mails by Mailbox at confirmation_mails;
    /// Verification mails to an address at sign-up. Separate from requested ones: otherwise requests for an address
    /// without an account could use up the mails that its owner needs at sign-up.
    sign_up_mails by Mailbox at confirmation_mails;
    /// Verification mails to an address that a user wants to change to; separate for the same reason.
    address_change_mails by Mailbox at confirmation_mails;
    /// Notices of one kind to an address.
    notices by Mailbox at notices;
    /// Reauthentications in a session.
    challenges by Session at challenges;
    /// Codes of an authenticator app, at sign-in and when it is set up. A right one returns the count.
    second_factor by User at second_factor;
    /// Codes of an authenticator app at sign-in, and apart from these at reauthentication, over a long time. A right one
    /// clears the count.
    second_factor_guesses by User at second_factor_guesses;
    /// Wrong mailed codes, over all requests for one.
    mail_code_guesses by User at mail_code_guesses;
    /// Answers of passkeys that are accepted, of which each stores the digest of its challenge.
    passkey_uses by User at passkey_uses;
    /// Requests for a new address.
    address_changes by User at address_changes;
    /// API keys created.
    api_keys by User at api_keys;
    /// Access tokens for a session or a refresh token.
    tokens by User at tokens;
    /// Projects created, changed and deleted.
    project_writes by User at project_writes;
    /// Projects created, changed and deleted by all users of a network.
    project_writes_of_client by Network at project_writes_of_client;
}

impl Throttle {
    /// A larger network is several clients, and has their limits together.
    fn by_network(&self, what: &'static str, rate: Rate, client: IpAddr) -> Limit {
        let networks: Vec<_> = match self.is_exempt(client) {
            true => vec![],
            false => Network::with_weights(client).collect(),
        };
        let counters = networks.into_iter().map(|(network, weight)| Counter {
            name: format!("{what}:{network}"),
            rate: Rate {
                count: rate.count.saturating_mul(weight),
                ..rate
            },
        });
        Limit {
            what,
            counters: counters.collect(),
            bypass: None,
        }
    }

    fn is_exempt(&self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        let mut exempt = self.settings.exempt_networks.iter();
        exempt.any(|network| network.contains(&client))
    }

    /// The database holds no address that has no account.
    pub(super) fn pseudonym(&self, address: &str) -> String {
        pseudonym(&self.key_ring, Purpose::ThrottledAddress, address)
    }
}
