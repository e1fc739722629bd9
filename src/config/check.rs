//! What settings are refused: values out of range, contradictions, and what is unsafe where it is used.

use std::fmt::Display;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use url::{Host, Url};

use super::written::{Rate, duration};
use super::{
    Confirm, Cors, Database, Environment, Log, Mail, MailTransport, Password, Problem,
    Registration, Secret, Secrets, Server, Session, Settings, Smtp, SmtpTls, Sweep, Throttle,
    Tokens,
};

/// 256 bits: no fewer can be the root of every key.
const SHORTEST_SECRET: usize = 32;

/// The background work comes round so often.
const SHORTEST_SWEEP: Duration = Duration::from_secs(20);

/// A client must have the time to use an access token before it needs another.
const SHORTEST_ACCESS: Duration = Duration::from_secs(10);

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// Ten years: longer is a typing error.
const MAX_DURATION: Duration = Duration::from_secs(3_650 * 86_400);

/// Everything that is wrong with `settings`.
pub(super) fn problems(settings: &Settings) -> Vec<Problem> {
    let mut refusals = Refusals(Vec::new());
    let env = settings.env;
    refusals.server(&settings.server, env);
    refusals.database(&settings.database);
    refusals.secrets(&settings.secrets, env);
    refusals.cors(&settings.cors);
    refusals.mail(&settings.mail);
    refusals.smtp(&settings.mail.smtp, settings.mail.transport);
    refusals.password(&settings.password, env);
    refusals.registration(&settings.registration);
    refusals.session(&settings.session);
    refusals.tokens(&settings.tokens);
    refusals.sweep(&settings.sweep);
    refusals.throttle(&settings.throttle);
    refusals.log(&settings.log);
    refusals.0
}

struct Refusals(Vec<Problem>);

impl Refusals {
    fn server(&mut self, server: &Server, env: Environment) {
        if !is_host_and_port(&server.bind) {
            self.refuse(
                "server.bind",
                r#"must be host:port, such as "127.0.0.1:3000" or "[::1]:3000""#,
            );
        }
        self.url("server.public_url", &server.public_url, env);
        self.url("server.frontend_url", &server.frontend_url, env);
        if env == Environment::Production
            && server
                .trusted_proxies
                .iter()
                .any(|net| net.prefix_len() == 0)
        {
            self.refuse(
                "server.trusted_proxies",
                "must not hold the whole internet in production, or any client could choose its address; \
                 name the proxies' networks",
            );
        }
        self.within("server.workers", server.workers, 0..=1_024);
        self.within(
            "server.max_connections",
            server.max_connections,
            1..=1_000_000,
        );
        self.lasts(
            "server.head_timeout",
            server.head_timeout,
            MILLISECOND..=HOUR,
        );
        self.lasts(
            "server.body_timeout",
            server.body_timeout,
            MILLISECOND..=HOUR,
        );
        self.lasts("server.keep_alive", server.keep_alive, MILLISECOND..=HOUR);
        self.lasts(
            "server.shutdown_timeout",
            server.shutdown_timeout,
            SECOND..=HOUR,
        );
    }

    fn url(&mut self, key: &str, url: &Url, env: Environment) {
        if !matches!(url.scheme(), "http" | "https") {
            self.refuse(key, "must begin with https:// or http://");
        } else if env == Environment::Production && url.scheme() == "http" && !is_this_machine(url)
        {
            self.refuse(
                key,
                "must begin with https:// in production; http:// only does for localhost",
            );
        }
        if !url.username().is_empty() || url.password().is_some() {
            self.refuse(key, "must not hold a user name or password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            self.refuse(key, "must end before any ? or #");
        }
    }

    fn database(&mut self, database: &Database) {
        if database.path.as_os_str().is_empty() {
            self.refuse(
                "database.path",
                r#"must name a file, such as "storage/cloakroom.db""#,
            );
        }
        if database.path.as_os_str() == ":memory:" {
            self.refuse(
                "database.path",
                "must be a file: each connection would have a database in memory of its own",
            );
        }
        self.within("database.readers", database.readers, 0..=1_024);
        self.lasts(
            "database.busy_timeout",
            database.busy_timeout,
            MILLISECOND..=MINUTE,
        );
    }

    fn secrets(&mut self, secrets: &Secrets, env: Environment) {
        let too_short = |secret: &Secret| secret.expose().len() < SHORTEST_SECRET;
        match &secrets.key_base {
            None if env == Environment::Production => self.refuse(
                "secrets.key_base",
                "must be given in production; `cloakroom secret` prints a new one",
            ),
            Some(secret) if too_short(secret) => self.refuse(
                "secrets.key_base",
                format!("must have at least {SHORTEST_SECRET} bytes; `cloakroom secret` prints a new one"),
            ),
            _ => {}
        }
        if secrets.previous.iter().any(too_short) {
            self.refuse(
                "secrets.previous",
                format!("must hold secrets of at least {SHORTEST_SECRET} bytes each"),
            );
        }
    }

    fn cors(&mut self, cors: &Cors) {
        for origin in cors.origins.iter().filter(|origin| *origin != "*") {
            match exact_origin(origin) {
                Some(exact) if exact == *origin => {}
                Some(exact) => self.refuse(
                    "cors.origins",
                    format!("must hold {exact:?} exactly so, as browsers send it"),
                ),
                None => self.refuse(
                    "cors.origins",
                    format!(
                        r#"must hold origins such as "https://app.example.com", not {origin:?}"#
                    ),
                ),
            }
        }
        if cors.origins.iter().any(|origin| origin == "*") {
            if cors.origins.len() > 1 {
                self.refuse("cors.origins", r#"must hold "*" alone or not at all"#);
            }
            if cors.credentials {
                self.refuse(
                    "cors.origins",
                    r#"must not be "*" while cors.credentials is true, or any site could act with its visitors' cookies; name the origins"#,
                );
            }
        }
        self.lasts("cors.max_age", cors.max_age, SECOND..=DAY);
    }

    fn mail(&mut self, mail: &Mail) {
        if mail.transport == MailTransport::File && mail.directory.as_os_str().is_empty() {
            self.refuse(
                "mail.directory",
                r#"must name a directory while mail.transport is "file""#,
            );
        }
        let from_name = mail.from.name.as_deref().unwrap_or_default();
        if from_name.chars().any(char::is_control) {
            self.refuse("mail.from", "must be one line without control characters");
        }
        let name = &mail.service_name;
        if name.trim().is_empty()
            || name.chars().count() > 100
            || name.chars().any(char::is_control)
        {
            self.refuse(
                "mail.service_name",
                "must be one line of 1 to 100 characters",
            );
        }
    }

    fn smtp(&mut self, smtp: &Smtp, transport: MailTransport) {
        if transport == MailTransport::Smtp && smtp.host.is_empty() {
            self.refuse(
                "mail.smtp.host",
                r#"must be given while mail.transport is "smtp""#,
            );
        }
        if !smtp.host.is_empty() && !is_host(&smtp.host) {
            self.refuse(
                "mail.smtp.host",
                "must be a host name or an IP address, without scheme or port",
            );
        }
        match (&smtp.username, &smtp.password) {
            (Some(_), None) => self.refuse(
                "mail.smtp.password",
                "must be given with mail.smtp.username",
            ),
            (None, Some(_)) => self.refuse(
                "mail.smtp.username",
                "must be given with mail.smtp.password",
            ),
            _ => {}
        }
        if smtp.username.is_some() && smtp.tls == SmtpTls::None && !is_loopback(&smtp.host) {
            self.refuse(
                "mail.smtp.tls",
                r#"must be "required" or "starttls", or the password would cross the network in clear"#,
            );
        }
        self.lasts("mail.smtp.timeout", smtp.timeout, MILLISECOND..=HOUR);
    }

    fn password(&mut self, password: &Password, env: Environment) {
        let costs = match env {
            Environment::Test => 4..=31,
            Environment::Development | Environment::Production => 10..=16,
        };
        self.within("password.bcrypt_cost", password.bcrypt_cost, costs);
        self.within("password.min_length", password.min_length, 1..=128);
        self.within("password.threads", password.threads, 0..=1_024);
        self.within("password.lanes", password.lanes, 0..=Password::MAX_LANES);
        self.within("password.queue_limit", password.queue_limit, 1..=100_000);
    }

    fn registration(&mut self, registration: &Registration) {
        if registration.private && registration.confirm != Confirm::Required {
            self.refuse(
                "registration.private",
                r#"must be false unless registration.confirm is "required", or signing in would tell what signing up hid"#,
            );
        }
    }

    fn session(&mut self, session: &Session) {
        let spans = [
            ("session.lifetime", session.lifetime),
            ("session.idle_timeout", session.idle_timeout),
        ];
        for (key, span) in spans {
            self.lasts(key, span, SECOND..=MAX_DURATION);
            if span > session.remember_lifetime {
                let longest = duration::format(session.remember_lifetime);
                self.refuse(
                    key,
                    format!("must be at most session.remember_lifetime, which is {longest}"),
                );
            }
        }
        self.lasts(
            "session.remember_lifetime",
            session.remember_lifetime,
            SECOND..=MAX_DURATION,
        );
        self.within("session.max_per_user", session.max_per_user, 1..=100_000);
    }

    fn tokens(&mut self, tokens: &Tokens) {
        self.lasts(
            "tokens.access_lifetime",
            tokens.access_lifetime,
            SHORTEST_ACCESS..=HOUR,
        );
        for (key, name) in [
            ("tokens.issuer", &tokens.issuer),
            ("tokens.audience", &tokens.audience),
        ] {
            if name.len() > 255 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                self.refuse(
                    key,
                    "must be at most 255 characters of ASCII without white space",
                );
            }
        }
        if tokens.scopes.has("introspect") {
            self.refuse(
                "tokens.scopes",
                r#"must not hold "introspect", which is for API keys alone"#,
            );
        }
        self.within(
            "tokens.max_keys_per_user",
            tokens.max_keys_per_user,
            1..=10_000,
        );
    }

    fn sweep(&mut self, sweep: &Sweep) {
        self.lasts("sweep.interval", sweep.interval, SHORTEST_SWEEP..=DAY);
        self.lasts(
            "sweep.keep_sessions",
            sweep.keep_sessions,
            Duration::ZERO..=MAX_DURATION,
        );
        self.lasts(
            "sweep.keep_mails",
            sweep.keep_mails,
            Duration::ZERO..=MAX_DURATION,
        );
    }

    fn throttle(&mut self, throttle: &Throttle) {
        self.limit("throttle.sign_in", throttle.sign_in);
        self.limit("throttle.reset", throttle.reset);
        self.limit("throttle.sign_up", throttle.sign_up);
        self.limit("throttle.address_failures", throttle.address_failures);
        self.limit("throttle.reset_mails", throttle.reset_mails);
        self.limit("throttle.confirmation", throttle.confirmation);
        self.limit("throttle.confirmation_mails", throttle.confirmation_mails);
        self.limit("throttle.challenges", throttle.challenges);
        self.limit("throttle.address_changes", throttle.address_changes);
        self.limit("throttle.notices", throttle.notices);
        self.limit("throttle.api_keys", throttle.api_keys);
        self.limit("throttle.tokens", throttle.tokens);
    }

    fn limit(&mut self, key: &str, limit: Rate) {
        self.within(key, limit.count, 1..=1_000_000);
        self.lasts(key, limit.window, SECOND..=MAX_DURATION);
    }

    fn log(&mut self, log: &Log) {
        // A lone word that is no level would name a module, and a misspelt level would silence the log.
        let misspelt = log.level.split(',').map(str::trim).any(|part| {
            part.is_empty()
                || (part.chars().all(char::is_alphabetic) && part.parse::<LevelFilter>().is_err())
        });
        if misspelt || EnvFilter::try_new(&log.level).is_err() {
            self.refuse(
                "log.level",
                r#"must be off, error, warn, info, debug or trace, or directives such as "info,cloakroom=debug""#,
            );
        }
    }

    fn within<T: PartialOrd + Display>(&mut self, key: &str, value: T, range: RangeInclusive<T>) {
        if !range.contains(&value) {
            self.refuse(
                key,
                format!(
                    "must be from {} to {}, not {value}",
                    range.start(),
                    range.end()
                ),
            );
        }
    }

    fn lasts(&mut self, key: &str, span: Duration, range: RangeInclusive<Duration>) {
        if !range.contains(&span) {
            let [least, most, span] = [*range.start(), *range.end(), span].map(duration::format);
            self.refuse(key, format!("must be from {least} to {most}, not {span}"));
        }
    }

    fn refuse(&mut self, key: &str, message: impl Into<String>) {
        self.0.push(Problem::new(key, message));
    }
}

fn is_host_and_port(bind: &str) -> bool {
    bind.rsplit_once(':').is_some_and(|(host, port)| {
        let host_is_sound = match host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => !host.contains(':') && is_host(host),
        };
        // `parse` alone would take "+80".
        host_is_sound
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    })
}

fn is_host(text: &str) -> bool {
    let in_a_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.parse::<IpAddr>().is_ok() || (!text.is_empty() && text.chars().all(in_a_name))
}

/// The origin of a web address as browsers write it. No pattern has one, though it may parse as a URL.
fn exact_origin(text: &str) -> Option<String> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && !text.contains('*'))
        .map(|url| url.origin().ascii_serialization())
}

pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
