//! `[password]`, `[registration]`, `[session]`, `[tokens]`, `[audit]` and `[sweep]`.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::Environment;
use super::declare::{Ranged, section};
use super::problems::{DAY, HOUR, MAX_DURATION, Problems, SECOND};
use super::server::{Server, or_one_per_core};
use super::values::{duration, scopes, unset};
use crate::domain::Claims;
use crate::domain::scope::Scopes;

/// The interval of maintenance in the background: activity is written each time, and rows are swept when due. A shorter
/// interval between sweeps has no effect.
pub(crate) const MAINTENANCE_TICK: Duration = Duration::from_secs(20);

/// A client must have the time to use an access token before it needs another.
const SHORTEST_ACCESS: Duration = Duration::from_secs(10);
/// The most names in `tokens.claims`.
const MAX_CLAIMS: usize = 16;

section! {
    /// Password policy and hashing.
    Password {
        /// The bcrypt cost, 10 to 16 (4 to 31 in tests): 12 takes about a quarter of a second, each step doubles it.
        bcrypt_cost: u32 = 12,
        /// Minimum length of a new password in characters; 8 is the minimum of NIST SP 800-63B, revision 3.
        min_length: usize = 8 in 1..=128,
        /// Whether new passwords that are common or easily guessed are refused. Off for development.
        reject_common: bool = false,
        /// Words of your own, such as the name of the company: with `reject_common`, new passwords made of them are
        /// refused like those made of the email address or the name of the service.
        forbidden_words: Vec<String> = [],
        /// A file of breached passwords that are refused, made by `cloakroom passwords build`; "" is unset.
        #[serde(with = "unset")]
        breached_list: Option<PathBuf> = "",
        /// The range service that new passwords are looked up in, such as `https://api.pwnedpasswords.com/range`; "" is
        /// unset. It learns the first 20 bits of the SHA-1 of each. A service that does not answer within 500 ms is
        /// ignored: the password is accepted, and the log says so.
        #[serde(with = "unset")]
        breached_service: Option<String> = "",
        /// Threads that hash; 0 is one per core.
        threads: usize = 0 in 0..=1_024,
        /// How far their priority is below that of requests, as `nice` counts it on Linux. 2 leaves them two fifths of a
        /// core that requests keep busy. 19 leaves them next to nothing of it: sign-ins hardly slow requests down then, but
        /// a flood of cheap requests delays sign-ins to eleven times their duration.
        niceness: u32 = 2 in 0..=19,
        /// Hashes that each thread computes in parallel: 1 to 8, 1 disables it. 4 take a core about 1.3 times as long as
        /// one. 0 is as many as fit into the core's first-level cache, at most 5; or 4 if the cache size cannot be read.
        lanes: usize = 0 in 0..=Self::MAX_LANES,
        /// Hashes that may wait for a thread. Beyond it callers get 503: a longer queue would only time out.
        queue_limit: usize = 64 in 1..=100_000,
    }
}

impl Password {
    /// The most hashes that a thread can compute at once.
    pub const MAX_LANES: usize = 8;

    /// The threads that hash: as configured, or one per core.
    pub fn hashing_threads(&self) -> usize {
        or_one_per_core(self.threads)
    }

    pub(super) fn check(&self, env: Environment, problems: &mut Problems) {
        let costs = match env {
            Environment::Test => 4..=31,
            Environment::Development | Environment::Production => 10..=16,
        };
        if let Some(refusal) = self.bcrypt_cost.refusal(&costs) {
            problems.refuse("password.bcrypt_cost", refusal);
        }
        if self
            .forbidden_words
            .iter()
            .any(|word| word.trim().is_empty())
        {
            problems.refuse("password.forbidden_words", "must not contain an empty word");
        }
        let service = self.breached_service.as_deref().map(Url::parse);
        // The digits are appended to it.
        let usable = |url: &Url| {
            url.has_host()
                && matches!(url.scheme(), "https" | "http")
                && url.query().is_none()
                && url.fragment().is_none()
        };
        if service.is_some_and(|parsed| !parsed.is_ok_and(|url| usable(&url))) {
            problems.refuse(
                "password.breached_service",
                r##"must be a URL without ? and #, such as "https://api.pwnedpasswords.com/range""##,
            );
        }
    }
}

section! {
    /// Sign-up.
    Registration {
        /// Whether sign-up is open to the public.
        open: bool = true,
        /// How unverified addresses are treated: "off" requires no verification, "remind" mails a link at sign-up and
        /// signs the user in anyway, "required" starts no session until the link has been opened. Enabling "required"
        /// later keeps existing sessions; the next sign-in then needs the link, a reset, or an operator who marks the
        /// address as verified.
        confirm: Confirm = "off",
        /// Whether sign-up returns the same response for a free address and a taken one, so that only the mailbox shows
        /// the difference. It requires `confirm` "required", because otherwise a sign-in with the new password would
        /// reveal it.
        private: bool = false,
        /// What a reset by mail does with an account whose address was never verified, and a sign-in by a mailed code or by
        /// a provider that gives out the address: "keep" sets the password (a sign-in removes it) and keeps projects, name
        /// and user id, "replace" deletes the account and gives its address a fresh one with the new password (by a
        /// sign-in: without one). Another person may have signed up with the address; with "replace" nothing of theirs
        /// reaches the owner, but **owners who did not verify their address lose their data at their first reset**. It
        /// requires that `confirm` is not "off".
        unverified_reset: UnverifiedReset = "keep",
    }
}

/// How unverified addresses are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// No verification is required.
    Off,
    /// A link is mailed at sign-up, and the user is signed in without it.
    Remind,
    /// No session starts until the link has been opened.
    Required,
}

/// What the first proof by mail does with an account whose address was never verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnverifiedReset {
    /// The account stays.
    Keep,
    /// A fresh account takes its place.
    Replace,
}

impl Registration {
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.unverified_reset == UnverifiedReset::Replace && self.confirm == Confirm::Off {
            problems.refuse(
                "registration.unverified_reset",
                r#"must be "keep" while registration.confirm is "off", or users who were never mailed a link would lose their data"#,
            );
        }
        if self.private && self.confirm != Confirm::Required {
            problems.refuse(
                "registration.private",
                r#"must be false unless registration.confirm is "required", or a sign-in would reveal what sign-up hid"#,
            );
        }
    }
}

section! {
    /// How long sessions last.
    Session {
        /// Maximum lifetime of a session.
        #[serde(with = "duration")]
        lifetime: Duration = "30d" in SECOND..=MAX_DURATION,
        /// How long a session lasts without use.
        #[serde(with = "duration")]
        idle_timeout: Duration = "14d" in SECOND..=MAX_DURATION,
        /// Maximum lifetime if the sign-in sent `remember`.
        #[serde(with = "duration")]
        remember_lifetime: Duration = "180d" in SECOND..=MAX_DURATION,
        /// Sessions per user; one more deletes the least recently used.
        max_per_user: u32 = 100 in 1..=100_000,
        /// The parent domain of sibling subdomains that get the session cookie too: "example.com" lets a proxy on
        /// `https://orders.example.com` verify browsers that signed in at `https://auth.example.com`. "" keeps the cookie
        /// to the host of `server.public_url`. **Every host below the domain receives the cookie, and may use and replace
        /// it**: set it only where all of them are yours. Browsers refuse domains under which anyone can register, such as
        /// "co.uk". Changing it signs out every browser.
        #[serde(with = "unset")]
        cookie_domain: Option<String> = "",
    }
}

impl Session {
    pub(super) fn check(&self, server: &Server, problems: &mut Problems) {
        if let Some(domain) = &self.cookie_domain {
            check_cookie_domain(domain, &server.public_url, problems);
        }
        for (key, span) in [
            ("session.lifetime", self.lifetime),
            ("session.idle_timeout", self.idle_timeout),
        ] {
            if span > self.remember_lifetime {
                let longest = duration::format(self.remember_lifetime);
                problems.refuse(
                    key,
                    format!("must be at most session.remember_lifetime, which is {longest}"),
                );
            }
        }
    }
}

/// The domain must be one that browsers accept from the host of the public URL, or they drop the cookie without a word.
fn check_cookie_domain(domain: &str, public_url: &Url, problems: &mut Problems) {
    let mut refuse = |message: &str| problems.refuse("session.cookie_domain", message);
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_below = |host: &str| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if !domain.contains('.') || !domain.split('.').all(is_label) {
        refuse(
            r#"must be a domain such as "example.com", in lower case and without a dot in front"#,
        );
    } else if !matches!(public_url.host(), Some(Host::Domain(host)) if is_below(host)) {
        refuse("must be the host of server.public_url or a parent domain of it");
    } else if public_url.scheme() != "https" {
        refuse("must be unset unless server.public_url begins with https://");
    }
}

section! {
    /// API keys and access tokens.
    Tokens {
        /// Algorithm for access tokens: "EdDSA" (Ed25519), which any service can verify with `/.well-known/jwks.json`, or
        /// "HS256", which only this server can verify. Tokens signed before a change stay valid until they expire.
        algorithm: Algorithm = "EdDSA",
        /// Maximum lifetime of an access token; it never exceeds that of its session. Services that verify tokens locally
        /// accept it until it expires, even if it is revoked.
        #[serde(with = "duration")]
        access_lifetime: Duration = "15m" in SHORTEST_ACCESS..=HOUR,
        /// Where a revoked access token is looked up: "memory", in a list that is at most 200 ms behind other processes and
        /// nodes, or "strict", in the database at each use.
        revocation: Revocation = "memory",
        /// The `iss` claim; "" is `server.public_url`.
        issuer: String = "",
        /// The `aud` claim of access tokens that this server accepts, the default; "" is the issuer.
        audience: String = "",
        /// Other audiences that clients may request, such as `https://orders.example.com`: one for each service that
        /// verifies tokens by itself. A service can use a token that it received at every other service of the same
        /// audience, and here.
        audiences: Vec<String> = [],
        /// The default and the maximum scopes of an access token, and those that users may give their API keys: list the scopes of the services behind this one here.
        /// **A scope restricts a credential; it never grants a right**: a session has all of them. Decide by the user's id
        /// who may do what. `user:read` lets a credential read its user, and `/v1/verify` report the email address.
        #[serde(with = "scopes")]
        scopes: Scopes = ["projects:read", "projects:write", "user:read"],
        /// Members of a user's `metadata`, and `role`, that access tokens carry as claims and `/v1/verify` reports in
        /// `X-User-Claims`, such as `["plan", "role"]`: at most 16 names of letters, digits and underscores. The claims of
        /// a user have at most 1024 bytes. Access tokens keep them until they are refreshed.
        claims: Vec<String> = [],
        /// Whether `X-User-Email` of `/v1/verify` and `username` of an introspection hold an address that is not verified: it
        /// may be another person's.
        show_unverified_email: bool = false,
        /// API keys per user that are neither revoked nor expired.
        max_keys_per_user: u32 = 100 in 1..=10_000,
    }
}

/// What signs access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037): the public key verifies.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// HMAC with SHA-256: only this server can verify.
    #[serde(rename = "HS256")]
    Hs256,
}

/// Where revoked access tokens are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Revocation {
    /// In a list in memory.
    Memory,
    /// In the database.
    Strict,
}

impl Tokens {
    pub(super) fn check(&self, problems: &mut Problems) {
        let others = self.audiences.iter().map(|name| ("tokens.audiences", name));
        for (key, name) in [
            ("tokens.issuer", &self.issuer),
            ("tokens.audience", &self.audience),
        ]
        .into_iter()
        .chain(others)
        {
            if name.len() > 255 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                problems.refuse(
                    key,
                    "must be at most 255 characters of ASCII without white space",
                );
            }
        }
        if self.audiences.iter().any(String::is_empty) {
            problems.refuse("tokens.audiences", "must not contain an empty name");
        }
        if self.claims.len() > MAX_CLAIMS {
            let message = format!("must contain at most {MAX_CLAIMS} names");
            problems.refuse("tokens.claims", message);
        }
        for name in self.claims.iter().filter(|name| !Claims::is_name(name)) {
            let message = format!(
                "must contain names of at most 32 letters, digits and underscores that have no meaning in tokens, not {name:?}"
            );
            problems.refuse("tokens.claims", message);
        }
        if self.scopes.has("introspect") {
            problems.refuse(
                "tokens.scopes",
                r#"must not contain "introspect", which is for API keys alone"#,
            );
        }
    }
}

section! {
    /// The audit trail.
    Audit {
        /// How long events are kept. A year is what PCI DSS asks for, and long enough to look into what is noticed late.
        #[serde(with = "duration")]
        retention: Duration = "365d" in DAY..=MAX_DURATION,
        /// How long addresses and user agents stay in the events of a deleted account: a thief of the account may have
        /// deleted it. Afterwards the events have ids alone.
        #[serde(with = "duration")]
        keep_clients: Duration = "30d" in Duration::ZERO..=MAX_DURATION,
    }
}

section! {
    /// Deletion of expired rows.
    Sweep {
        /// How often expired rows are deleted: sessions, windows of limits, mails, known devices, API keys, token records.
        #[serde(with = "duration")]
        interval: Duration = "10m" in MAINTENANCE_TICK..=DAY,
        /// How long an expired session is kept: until then its token is reported as expired, afterwards as unknown.
        #[serde(with = "duration")]
        keep_sessions: Duration = "1d" in Duration::ZERO..=MAX_DURATION,
        /// Retention of sent and failed mails.
        #[serde(with = "duration")]
        keep_mails: Duration = "7d" in Duration::ZERO..=MAX_DURATION,
    }
}
