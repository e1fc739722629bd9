//! `[throttle]`: the rate of each limit that [`crate::throttle`] enforces.

use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::declare::section;
use super::problems::{MAX_DURATION, Problems, SECOND};
use super::values::{Rate, networks};

/// A limit admits something, and ends.
const RATES: RangeInclusive<Rate> = Rate {
    count: 1,
    window: SECOND,
}..=Rate {
    count: 1_000_000,
    window: MAX_DURATION,
};

section! {
    /// Limits on attempts, requests and mails.
    Throttle {
        /// Whether the limits below apply.
        enabled: bool = true,
        /// Networks (CIDR) of known clients, such as an office or a back end that signs users in, to which the limits per
        /// client address do not apply. Those per email address, session and user do.
        #[serde(with = "networks")]
        exempt_networks: Vec<IpNet> = [],
        /// Failed sign-ins per client address (an IPv4 address or an IPv6 /64), as in Rails' generator. Like each limit per
        /// client address, 4 times as many per IPv6 /56, and 16 times per /48 and IPv4 /24.
        sign_in: Rate = "10 in 3m" in RATES,
        /// Requests for a reset link, per client address.
        reset: Rate = "10 in 3m" in RATES,
        /// Requests for a mailed code, per client address.
        mail_code: Rate = "10 in 3m" in RATES,
        /// Requests for a mailed code, per email address and client network: a client that asks often is refused, and keeps
        /// no other client from asking.
        mail_codes: Rate = "5 in 15m" in RATES,
        /// Mails with a code per email address, to protect mailboxes from floods. Beyond it no mail is sent, with the
        /// same reply.
        mail_code_mails: Rate = "15 in 15m" in RATES,
        /// Wrong mailed codes per user, over all requests for one: each admits five, and a client can send further
        /// ones. Beyond it each code is refused as a wrong one is; the link in the mail, passwords and passkeys still
        /// sign in.
        mail_code_guesses: Rate = "100 in 1d" in RATES,
        /// Answers of passkeys that are accepted, per user: each is stored until an hour after its challenge expires,
        /// so that it works once. An answer by which a sign-up succeeds counts for the client address alone.
        passkey_uses: Rate = "60 in 15m" in RATES,
        /// Sign-ups, per client address. New passwords (by a link or in an account) and reauthentications have separate
        /// counters of the same size. Each costs a bcrypt hash. Wider than the others, because offices share an address.
        sign_up: Rate = "60 in 3m" in RATES,
        /// Sign-ins by other providers per client address: those that are started, and those that come back.
        provider_sign_in: Rate = "60 in 3m" in RATES,
        /// Failed sign-ins per email address, known or not, from all clients together.
        address_failures: Rate = "20 in 1h" in RATES,
        /// Reset mails per email address, to protect mailboxes from floods. Keep the window within the 15 minutes for
        /// which a link is valid: then a user who is refused another mail has a valid link. Mails with a link that
        /// links an account at another provider have separate counters of the same size.
        reset_mails: Rate = "5 in 15m" in RATES,
        /// Requests for a verification link, per client address.
        confirmation: Rate = "10 in 3m" in RATES,
        /// Verification mails per email address, to protect mailboxes from floods. Sign-ups, requests and new addresses
        /// have separate counters.
        confirmation_mails: Rate = "5 in 1h" in RATES,
        /// Reauthentications before a change, per session: each costs a bcrypt hash. Separate from sign-in: an attacker's
        /// failed sign-ins must not lock the owner's session, and failures in a stolen session must not lock the owner's
        /// sign-in.
        challenges: Rate = "20 in 1h" in RATES,
        /// Codes of an authenticator app that are tried, per user: six digits must not be guessed by an attacker who knows
        /// the password. Recovery codes are not limited by it, and sessions that exist go on.
        second_factor: Rate = "10 in 15m" in RATES,
        /// The same over a long time: without it, an attacker who knows the password could try 960 codes a day. A right
        /// factor and `cloakroom users reset-factors` clear it, and the owner is mailed when it is reached. Codes by
        /// which a session is reauthenticated are counted apart.
        second_factor_guesses: Rate = "100 in 30d" in RATES,
        /// Requests for a new address, per user: each sends a mail.
        address_changes: Rate = "5 in 1h" in RATES,
        /// Notices per email address and kind, so that signed-in users cannot flood a mailbox.
        notices: Rate = "10 in 1h" in RATES,
        /// API keys created, per user, including revoked ones.
        api_keys: Rate = "100 in 1h" in RATES,
        /// Access tokens for a session or a refresh token, per user: each revoked one is stored for a day after its
        /// expiry.
        tokens: Rate = "600 in 1h" in RATES,
        /// Writes to projects, per user, whether they change something or not: each costs a transaction.
        project_writes: Rate = "120 in 1m" in RATES,
        /// Writes to projects, per client address. Wider than per user, because offices share an address.
        project_writes_of_client: Rate = "600 in 1m" in RATES,
    }
}

impl Throttle {
    pub(super) fn check(&self, problems: &mut Problems) {
        let is_anyone = |network: &IpNet| match network {
            IpNet::V4(network) => network.prefix_len() < 8,
            IpNet::V6(network) => network.prefix_len() < 32,
        };
        if self.exempt_networks.iter().any(is_anyone) {
            problems.refuse(
                "throttle.exempt_networks",
                "must contain networks of known clients, not larger than an IPv4 /8 or an IPv6 /32",
            );
        }
    }
}
