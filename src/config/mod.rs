//! Settings: typed, and checked as a whole before anything starts.
//!
//! Each setting is declared once, with type, default, range and purpose (`section!`); rules that span fields
//! are in its section's `check`. `config/default.toml` and `docs/reference/settings.md` are generated from the
//! declarations. Settings are values, never globals: an embedder or a test builds as many [`Settings`] as it needs.
//!
//! # Threats
//! - secrets in logs and output: `Debug`, `Display` and `Serialize` of a [`Secret`] are `[hidden]`, and messages never
//!   quote a value that may be one
//! - unsafe settings in production: refused at start, with all other problems at once

mod accounts;
mod backup;
mod cors;
mod declare;
mod error;
mod file;
#[cfg(test)]
pub(crate) mod generated_file;
mod keys;
mod limits;
mod links;
mod load;
mod log;
mod mail;
mod metrics;
mod notices;
mod outbound;
mod passkeys;
mod problems;
mod provider_kind;
mod providers;
mod reference;
mod samples;
mod second_factor;
mod secret;
mod sender;
mod server;
mod sign_in;
mod sources;
mod values;
mod warnings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use toml::{Table, Value};
use url::Url;

use self::declare::{Section, section};
use self::keys::flatten;
use self::problems::Problems;
use self::values::NOT_ONE_LINE;
use crate::domain::mail_kind::LinkPurpose;

pub(crate) use self::accounts::MAINTENANCE_TICK;
pub use self::accounts::{
    Algorithm, Audit, Confirm, Password, Registration, Revocation, Session, Sweep, Tokens,
    UnverifiedReset,
};
pub use self::backup::Backup;
pub use self::cors::Cors;
pub use self::error::{ConfigError, Problem};
pub use self::limits::Throttle;
pub use self::links::{LinkTemplate, Links};
pub(crate) use self::load::written_list;
pub use self::log::{Log, LogFormat};
pub use self::mail::{Mail, MailTransport, Smtp, SmtpTls};
pub use self::metrics::Metrics;
pub use self::notices::Notices;
pub use self::outbound::Outbound;
pub use self::passkeys::Passkeys;
pub(crate) use self::problems::MAX_DURATION;
pub use self::provider_kind::ProviderKind;
pub use self::providers::{ANY_TENANT, Identities, Provider, is_tenant_id, kept_claim};
pub(crate) use self::reference::default_toml;
pub use self::samples::Samples;
pub use self::second_factor::{Required, SecondFactor};
pub use self::secret::Secret;
pub use self::sender::Sender;
pub use self::server::{Database, Secrets, Server};
pub use self::sign_in::SignIn;
pub use self::sources::Sources;
pub use self::values::Rate;
pub(crate) use self::values::duration::parse as parse_duration;

section! {
    /// Every setting. Field names are the keys of the files: `settings.server.bind` is `server.bind`.
    Settings {
        skip {
            /// The environment; not a key of the files, since it selects one of them.
            env: Environment
        }
        /// Listening, addresses and time limits.
        server: Server,
        /// The SQLite file, or a PostgreSQL server.
        database: Database,
        /// The root of every signing key.
        secrets: Secrets,
        /// Browsers from other origins.
        cors: Cors,
        /// Mails and how they are sent.
        mail: Mail,
        /// Where the links in mails lead.
        links: Links,
        /// Password policy and hashing.
        password: Password,
        /// Passkeys.
        passkeys: Passkeys,
        /// Requests of the server to other servers.
        outbound: Outbound,
        /// Sign-up.
        registration: Registration,
        /// Ways to sign in besides the password.
        sign_in: SignIn,
        /// The providers by which users sign in, by name.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        providers: BTreeMap<String, Provider>,
        /// What all providers share.
        identities: Identities,
        /// How long sessions last.
        session: Session,
        /// Who must have a second factor.
        second_factor: SecondFactor,
        /// API keys and access tokens.
        tokens: Tokens,
        /// The audit trail.
        audit: Audit,
        /// Deletion of expired rows.
        sweep: Sweep,
        /// Backups of the SQLite file that the server makes by itself.
        backup: Backup,
        /// Mails about changes to an account.
        notices: Notices,
        /// Limits on attempts, requests and mails.
        throttle: Throttle,
        /// Example resources.
        samples: Samples,
        /// The log of the process.
        log: Log,
        /// Figures for Prometheus.
        metrics: Metrics,
    }
}

impl Settings {
    /// Loads and checks the settings from `sources`.
    ///
    /// # Errors
    /// All problems at once: unknown keys, values of the wrong kind, and what [`Settings::check`] refuses. A settings
    /// file that cannot be read or parsed is reported alone.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        load::load(sources)
    }

    /// The compiled-in settings of an environment, checked. Those of production are always refused, since they lack what
    /// only the operator knows.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn for_env(env: Environment) -> Result<Self, ConfigError> {
        Self::load(&Sources {
            env,
            file: None,
            variables: Vec::new(),
            ignored: Vec::new(),
        })
    }

    /// Checks that these settings can work and are safe in their environment. [`Settings::load`] includes it; call it
    /// again after changing a field.
    ///
    /// # Errors
    /// All problems at once.
    pub fn check(&self) -> Result<(), ConfigError> {
        let problems = self.problems();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::new(problems))
        }
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        self.check_ranges("", &mut problems);
        self.server.check(self.env, &mut problems);
        self.database.check(&mut problems);
        self.secrets.check(self.env, &mut problems);
        self.cors.check(&mut problems);
        self.mail.check(self.env, &mut problems);
        self.links.check(self.env, &mut problems);
        self.password.check(self.env, &mut problems);
        self.passkeys.check(&self.server, &mut problems);
        self.registration.check(&mut problems);
        providers::check(&self.providers, self.env, &mut problems);
        self.identities.check(self.env, &mut problems);
        self.session.check(&self.server, &mut problems);
        self.tokens.check(&mut problems);
        self.backup.check(&self.database, &mut problems);
        self.throttle.check(&mut problems);
        self.log.check(&mut problems);
        self.metrics.check(&self.server, &mut problems);
        self.check_lines(&mut problems);
        problems.0
    }

    /// Every text is one line. Secrets, which are hidden here, are checked in their sections.
    fn check_lines(&self, problems: &mut Problems) {
        let has_control = |value: &Value| match value {
            Value::String(text) => text.contains(char::is_control),
            Value::Array(items) => items.iter().any(|item| {
                item.as_str()
                    .is_some_and(|text| text.contains(char::is_control))
            }),
            _ => false,
        };
        // What cannot be written as TOML is no text.
        let Ok(table) = Table::try_from(self) else {
            return;
        };
        for (key, _) in flatten(table)
            .into_iter()
            .filter(|(_, value)| has_control(value))
        {
            if !problems.0.iter().any(|earlier| earlier.key == key) {
                problems.refuse(&key, NOT_ONE_LINE);
            }
        }
    }

    /// The effective settings as a TOML document with the keys of the files; secrets are `[hidden]`.
    ///
    /// # Errors
    /// When a value cannot be written as TOML, such as a path that is not UTF-8.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self)
            .map_err(|error| ConfigError::single("settings", format!("cannot be written: {error}")))
    }

    /// Words that are easy to guess in the password of the user with this address.
    pub fn guessable_words<'a>(&'a self, address: &'a str) -> Vec<&'a str> {
        let own = self.password.forbidden_words.iter().map(String::as_str);
        [address, &self.mail.service_name]
            .into_iter()
            .chain(own)
            .collect()
    }

    /// The link for a mail, with this token.
    pub fn mailed_link(&self, purpose: LinkPurpose, token: &str) -> String {
        self.links.url(purpose, &self.server, token)
    }

    /// The name of a provider for users; `name` is that of its table.
    pub fn provider_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.providers
            .get(name)
            .map_or(name, |provider| provider.shown(name))
    }

    /// The URL to which a sign-in by a provider returns, to a page or to an app, if `requested` is allowed; the default
    /// without one.
    pub fn identity_redirect(&self, requested: Option<&str>, is_app: bool) -> Option<Url> {
        self.identities
            .redirect(requested, is_app, &self.server.frontend_url)
    }

    /// The `iss` of access tokens: `tokens.issuer`, or `server.public_url` without a slash at its end.
    pub fn issuer(&self) -> &str {
        match &*self.tokens.issuer {
            "" => self.server.public_url.as_str().trim_end_matches('/'),
            configured => configured,
        }
    }

    /// The `aud` of access tokens for this server: `tokens.audience`, or the issuer.
    pub fn audience(&self) -> &str {
        match &*self.tokens.audience {
            "" => self.issuer(),
            configured => configured,
        }
    }
}

/// What the process is run for; `CLOAKROOM_ENV` selects it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// A developer's machine.
    #[default]
    Development,
    /// Automated tests.
    Test,
    /// Real users.
    Production,
}

impl Environment {
    /// The name, as `CLOAKROOM_ENV` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        [Self::Development, Self::Test, Self::Production]
            .into_iter()
            .find(|env| env.as_str() == name)
            .ok_or_else(|| {
                ConfigError::single(
                    "CLOAKROOM_ENV",
                    format!("must be development, test or production, not {name:?}"),
                )
            })
    }
}
