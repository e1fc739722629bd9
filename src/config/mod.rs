//! Settings: typed, validated as a whole before anything starts, and impossible to print secrets from.
//!
//! `config/default.toml` holds every key with its default and reason; `load` lays the environment's file, the
//! operator's file and variables over it, `check` refuses what cannot work or is unsafe, all at once.
//! Nothing here is global: an embedder or a test builds as many [`Settings`] as it likes.

mod check;
mod error;
mod load;
mod secret;
mod sections;
mod sources;
mod written;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use self::error::{ConfigError, Problem};
pub use self::load::written_list;
pub use self::secret::Secret;
pub use self::sections::{
    Algorithm, Confirm, Cors, Database, Log, LogFormat, Mail, MailTransport, Notices, Password,
    Registration, Secrets, Server, Session, Smtp, SmtpTls, Sweep, Throttle, Tokens,
};
pub use self::sources::Sources;
pub use self::written::Rate;
pub use self::written::duration::parse as parse_duration;

/// Every setting. Field names are the keys of the files: `settings.server.bind` is `server.bind`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which environment this is; not a key of the files, since it chooses among them.
    #[serde(skip)]
    pub env: Environment,
    /// Listening, addresses and time limits.
    pub server: Server,
    /// The SQLite file.
    pub database: Database,
    /// What keys are derived from.
    pub secrets: Secrets,
    /// Browsers from other origins.
    pub cors: Cors,
    /// Mails and how they leave.
    pub mail: Mail,
    /// Password policy and hashing.
    pub password: Password,
    /// Sign-up.
    pub registration: Registration,
    /// How long sessions last.
    pub session: Session,
    /// API keys and access tokens.
    pub tokens: Tokens,
    /// How often what is over is deleted, and how long it is kept.
    pub sweep: Sweep,
    /// Mails about what was done with an account.
    pub notices: Notices,
    /// Limits on tries.
    pub throttle: Throttle,
    /// The process's log.
    pub log: Log,
}

impl Settings {
    /// The settings that `sources` add up to, checked.
    ///
    /// # Errors
    /// All that is wrong, at once: unknown keys, values of the wrong kind, and what [`Settings::check`] refuses.
    /// A settings file that cannot be read or parsed is reported alone.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        load::load(sources)
    }

    /// The compiled-in settings of an environment alone, checked. Those of production lack what only the
    /// operator knows, and are always refused.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn for_env(env: Environment) -> Result<Self, ConfigError> {
        Self::load(&Sources {
            env,
            file: None,
            variables: Vec::new(),
        })
    }

    /// Whether these settings can work and are safe in their environment. [`Settings::load`] has asked already;
    /// whoever changes a field afterwards asks again.
    ///
    /// # Errors
    /// Every refusal, at once.
    pub fn check(&self) -> Result<(), ConfigError> {
        let problems = check::problems(self);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::new(problems))
        }
    }

    /// The settings in force as a TOML document with the keys of the files; secrets are `[hidden]`.
    ///
    /// # Errors
    /// When a value cannot be written as TOML, such as a path that is not UTF-8.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self)
            .map_err(|fault| ConfigError::single("settings", format!("cannot be written: {fault}")))
    }

    /// Words that are easy to guess in a password of whoever has this address.
    pub fn guessable_words<'a>(&'a self, address: &'a str) -> [&'a str; 2] {
        [address, &self.mail.service_name]
    }

    /// A link for a mail: `server.frontend_url`, one slash, `path` (which the caller has percent-encoded).
    pub fn frontend_link(&self, path: &str) -> String {
        let base = self.server.frontend_url.as_str().trim_end_matches('/');
        format!("{base}/{}", path.trim_start_matches('/'))
    }

    /// The `iss` of access tokens: `tokens.issuer`, or `server.public_url` without a slash at its end.
    pub fn issuer(&self) -> &str {
        match &*self.tokens.issuer {
            "" => self.server.public_url.as_str().trim_end_matches('/'),
            configured => configured,
        }
    }

    /// The `aud` of access tokens: `tokens.audience`, or the issuer.
    pub fn audience(&self) -> &str {
        match &*self.tokens.audience {
            "" => self.issuer(),
            configured => configured,
        }
    }
}

/// What the process is run for; chosen by `CLOAKROOM_ENV`.
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

#[cfg(test)]
mod tests {
    use toml::{Table, Value};

    use super::*;
    use crate::domain::scope::Scopes;

    fn development() -> Settings {
        Settings::for_env(Environment::Development).unwrap()
    }

    #[test]
    fn the_defaults_of_development_and_test_can_be_used() {
        assert_eq!(development().env, Environment::Development);
        assert!(development().cors.credentials);
        let test = Settings::for_env(Environment::Test).unwrap();
        assert_eq!(
            (test.password.bcrypt_cost, test.throttle.enabled),
            (4, false)
        );
        assert_eq!(test.server.bind, "127.0.0.1:0");
    }

    #[test]
    fn every_key_of_the_default_file_survives_a_round_trip() {
        let mut default: Table = include_str!("../../config/default.toml").parse().unwrap();
        // All that development.toml changes.
        default["cors"]["credentials"] = Value::from(true);
        let written: Table = development().to_toml().unwrap().parse().unwrap();
        assert_eq!(written, default);
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        let mut settings = Settings::for_env(Environment::Test).unwrap();
        settings.mail.smtp.username = Some("mailer".to_owned());
        settings.mail.templates = Some("mails".into());
        settings.tokens.algorithm = Algorithm::Hs256;
        settings.tokens.scopes = Scopes::parse("orders:read introspect").unwrap();
        settings.server.trusted_proxies =
            vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let written = settings.to_toml().unwrap();
        let read: Settings = toml::from_str(&written).unwrap();
        assert_eq!(read.to_toml().unwrap(), written);
        assert_eq!(read.server.trusted_proxies, settings.server.trusted_proxies);
        assert_eq!(read.tokens.scopes, settings.tokens.scopes);
    }

    #[test]
    fn no_secret_is_shown_by_debug_or_to_toml() {
        let mut settings = development();
        let secret = || Secret::from("swordfish".to_owned());
        settings.secrets.key_base = Some(secret());
        settings.secrets.previous = vec![secret()];
        settings.mail.smtp.password = Some(secret());
        let written = settings.to_toml().unwrap();
        assert!(!written.contains("swordfish") && !format!("{settings:?}").contains("swordfish"));
        let written: Table = written.parse().unwrap();
        assert_eq!(written["secrets"]["key_base"], Value::from("[hidden]"));
        assert_eq!(written["mail"]["smtp"]["password"], Value::from("[hidden]"));
    }

    #[test]
    fn a_link_has_one_slash_between_the_front_end_and_the_path() {
        let mut settings = development();
        for base in ["https://example.com/app", "https://example.com/app/"] {
            settings.server.frontend_url = base.parse().unwrap();
            for path in ["passwords/t/edit", "/passwords/t/edit"] {
                assert_eq!(
                    settings.frontend_link(path),
                    "https://example.com/app/passwords/t/edit"
                );
            }
        }
    }

    #[test]
    fn tokens_are_of_this_server_and_for_it_unless_it_is_said_otherwise() {
        let mut settings = development();
        settings.server.public_url = "https://auth.example.com/".parse().unwrap();
        assert_eq!(
            (settings.issuer(), settings.audience()),
            ("https://auth.example.com", settings.issuer())
        );
        settings.tokens.issuer = "https://example.com/".to_owned();
        assert_eq!(
            (settings.issuer(), settings.audience()),
            ("https://example.com/", "https://example.com/")
        );
        settings.tokens.audience = "shop".to_owned();
        assert_eq!(
            (settings.issuer(), settings.audience()),
            ("https://example.com/", "shop")
        );
    }

    #[test]
    fn the_usual_port_depends_on_tls() {
        let mut smtp = development().mail.smtp;
        for (tls, port) in [
            (SmtpTls::Required, 465),
            (SmtpTls::Starttls, 587),
            (SmtpTls::None, 25),
        ] {
            smtp.tls = tls;
            assert_eq!(smtp.port(), port);
        }
        smtp.port = 2525;
        assert_eq!(smtp.port(), 2525);
    }

    #[test]
    fn an_environment_is_known_by_its_whole_name() {
        assert_eq!("production".parse(), Ok(Environment::Production));
        let refused = "prod".parse::<Environment>().unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("CLOAKROOM_ENV: must be development, test or production")
        );
    }
}
