//! The sections of a settings file, one type each. Why a default is what it is stands in `config/default.toml`;
//! the ranges stand in `check`.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Secret;
use super::check::is_this_machine;
use super::written::{Rate, duration, networks, scopes, secrets, sender, unset, web};
use crate::domain::scope::Scopes;

/// `[server]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where to listen, `host:port`; port 0 picks a free one.
    pub bind: String,
    /// Where clients reach this server.
    #[serde(with = "web")]
    pub public_url: Url,
    /// Where people use the application; [`Settings::frontend_link`](super::Settings::frontend_link) makes links from it.
    #[serde(with = "web")]
    pub frontend_url: Url,
    /// Networks whose forwarding headers are believed.
    #[serde(with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Threads that answer requests; 0 is one a core.
    pub workers: usize,
    /// Open connections over all workers.
    pub max_connections: usize,
    /// How long a client may take over a request's head.
    #[serde(with = "duration")]
    pub head_timeout: Duration,
    /// How long it may take over the body.
    #[serde(with = "duration")]
    pub body_timeout: Duration,
    /// How long an idle connection is kept.
    #[serde(with = "duration")]
    pub keep_alive: Duration,
    /// How long requests in flight may finish after a signal; at least a second.
    #[serde(with = "duration")]
    pub shutdown_timeout: Duration,
}

impl Server {
    /// The threads that answer requests: as set, or one a core.
    pub fn worker_threads(&self) -> usize {
        one_a_core(self.workers)
    }

    /// Whether clients reach it by plain http on this machine, where browsers keep no secure cookie for it, or not all
    /// of them.
    pub fn is_plain_on_this_machine(&self) -> bool {
        self.public_url.scheme() == "http" && is_this_machine(&self.public_url)
    }
}

/// `[database]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The SQLite file.
    pub path: PathBuf,
    /// Connections that read; 0 derives it from the workers.
    pub readers: u32,
    /// How long to wait for another process that holds the file.
    #[serde(with = "duration")]
    pub busy_timeout: Duration,
}

/// `[secrets]`: each at least 32 bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// What every key is derived from; always there in production.
    #[serde(with = "unset")]
    pub key_base: Option<Secret>,
    /// Earlier values of it, newest first.
    #[serde(with = "secrets")]
    pub previous: Vec<Secret>,
}

/// `[cors]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Exact origins (`https://app.example.com`), or `*` alone.
    pub origins: Vec<String>,
    /// Whether those may send cookies, and use the session's; never together with `*`.
    pub credentials: bool,
    /// How long a browser may remember a preflight's answer; at least a second.
    #[serde(with = "duration")]
    pub max_age: Duration,
}

/// `[mail]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// How mails leave.
    pub transport: MailTransport,
    /// Where [`MailTransport::File`] writes.
    pub directory: PathBuf,
    /// The sender.
    #[serde(with = "sender")]
    pub from: Mailbox,
    /// A directory of templates that replace those compiled in.
    #[serde(with = "unset")]
    pub templates: Option<PathBuf>,
    /// What the mails call the service; one line.
    pub service_name: String,
    /// The server for [`MailTransport::Smtp`].
    pub smtp: Smtp,
}

/// How mails leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTransport {
    /// As `.eml` files in a directory.
    File,
    /// To a server.
    Smtp,
}

/// `[mail.smtp]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// A host name or an IP address; empty unless SMTP is used.
    pub host: String,
    /// As set, where 0 is the usual one; [`Smtp::port()`] is the one to connect to.
    pub port: u16,
    /// The account, together with `password` or not at all.
    #[serde(with = "unset")]
    pub username: Option<String>,
    /// Its password.
    #[serde(with = "unset")]
    pub password: Option<Secret>,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// A PEM file with one more certificate authority to trust.
    #[serde(with = "unset")]
    pub ca_file: Option<PathBuf>,
    /// How long one command may take.
    #[serde(with = "duration")]
    pub timeout: Duration,
}

impl Smtp {
    /// The port to connect to: as set, or the usual one for `tls`.
    pub fn port(&self) -> u16 {
        match (self.port, self.tls) {
            (0, SmtpTls::Required) => 465,
            (0, SmtpTls::Starttls) => 587,
            (0, SmtpTls::None) => 25,
            (port, _) => port,
        }
    }
}

/// How a connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// TLS from the first byte (RFC 8314).
    Required,
    /// An upgrade to TLS, without which nothing is sent (RFC 3207).
    Starttls,
    /// Not at all.
    None,
}

/// `[password]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Password {
    /// bcrypt's cost, the base-2 logarithm of its rounds.
    pub bcrypt_cost: u32,
    /// The fewest characters in a new password.
    pub min_length: usize,
    /// Whether new passwords that are easily guessed are refused.
    pub reject_common: bool,
    /// Threads that hash; 0 is one a core.
    pub threads: usize,
    /// Hashes that a thread computes at once; 0 is what its core has room for.
    pub lanes: usize,
    /// Hashes that may wait for a thread.
    pub queue_limit: usize,
}

impl Password {
    /// The most hashes that a thread can compute at once.
    pub const MAX_LANES: usize = 8;

    /// The threads that hash: as set, or one a core.
    pub fn hashing_threads(&self) -> usize {
        one_a_core(self.threads)
    }
}

fn one_a_core(configured: usize) -> usize {
    match configured {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        configured => configured,
    }
}

/// `[registration]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Whether strangers may sign up.
    pub open: bool,
    /// What becomes of an address that is not confirmed.
    pub confirm: Confirm,
    /// Whether sign-up hides that an address is taken; only with [`Confirm::Required`].
    pub private: bool,
}

/// What becomes of an address that nobody has proved to be theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// No proof is asked for.
    Off,
    /// A link is mailed at sign-up, and nothing waits for it.
    Remind,
    /// There is no session before the link was opened.
    Required,
}

/// `[session]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// How long one lasts at most; at most `remember_lifetime`.
    #[serde(with = "duration")]
    pub lifetime: Duration,
    /// How long one lasts unused; at most `remember_lifetime`.
    #[serde(with = "duration")]
    pub idle_timeout: Duration,
    /// How long one lasts at most when the sign-in said `remember`.
    #[serde(with = "duration")]
    pub remember_lifetime: Duration,
    /// Sessions a user may have.
    pub max_per_user: u32,
}

/// `[tokens]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// What signs access tokens.
    pub algorithm: Algorithm,
    /// How long one lasts at most.
    #[serde(with = "duration")]
    pub access_lifetime: Duration,
    /// As set, or empty; [`Settings::issuer`](super::Settings::issuer) is what stands in tokens.
    pub issuer: String,
    /// As set, or empty; [`Settings::audience`](super::Settings::audience) is what stands in tokens.
    pub audience: String,
    /// What an access token may be used for at most.
    #[serde(with = "scopes")]
    pub scopes: Scopes,
    /// API keys a user may have that are neither revoked nor expired.
    pub max_keys_per_user: u32,
}

/// What signs access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037): whoever has the public key can verify.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// HMAC with SHA-256: nobody else can verify.
    #[serde(rename = "HS256")]
    Hs256,
}

/// `[sweep]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// How often what is over is deleted.
    #[serde(with = "duration")]
    pub interval: Duration,
    /// How long an expired session is kept.
    #[serde(with = "duration")]
    pub keep_sessions: Duration,
    /// How long a mail is kept that was sent or given up.
    #[serde(with = "duration")]
    pub keep_mails: Duration,
}

/// `[notices]`: which are mailed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    /// Of a sign-in from a device that is not known.
    pub new_device: bool,
    /// Of a new password.
    pub password_changed: bool,
    /// Of a new address that was asked for, to the old one.
    pub address_change_asked: bool,
    /// Of a new address that was confirmed, to the old one.
    pub address_changed: bool,
    /// Of the end of the account.
    pub account_deleted: bool,
    /// Of a refresh token that was used twice.
    pub refresh_reused: bool,
    /// Of a new API key.
    pub api_key_created: bool,
}

/// `[throttle]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// Whether the limits below hold.
    pub enabled: bool,
    /// Tries to sign in, per client address.
    pub sign_in: Rate,
    /// Requests for a reset link, per client address.
    pub reset: Rate,
    /// Sign-ups, per client address.
    pub sign_up: Rate,
    /// Failed sign-ins, per email address.
    pub address_failures: Rate,
    /// Reset mails, per email address.
    pub reset_mails: Rate,
    /// Requests for a confirmation link, per client address.
    pub confirmation: Rate,
    /// Confirmation mails, per email address.
    pub confirmation_mails: Rate,
    /// Passwords given again, per session.
    pub challenges: Rate,
    /// New addresses asked for, per user.
    pub address_changes: Rate,
    /// Notices of one kind, per email address.
    pub notices: Rate,
    /// API keys made, per user.
    pub api_keys: Rate,
    /// Access tokens for a session or a refresh token, per user.
    pub tokens: Rate,
}

/// `[log]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// A `tracing_subscriber::EnvFilter`, known to parse.
    pub level: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For machines: one JSON object a line.
    Json,
}
