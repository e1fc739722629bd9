//! What settings are refused: values out of range, contradictions, and what is unsafe where it is used.

use std::fmt::Display;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use url::{Host, Url};

use super::written::{Limit, duration};
use super::{
    Cors, Database, Environment, Log, Mail, MailTransport, Password, Problem, Secret, Secrets, Server,
    Session, Settings, Smtp, SmtpTls, Throttle,
};

/// 256 bits: no fewer can be the root of every key.
const SHORTEST_SECRET: usize = 32;

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// Ten years: longer is a typing error.
const AGES: Duration = Duration::from_secs(3_650 * 86_400);

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
    refusals.session(&settings.session);
    refusals.throttle(&settings.throttle);
    refusals.log(&settings.log);
    refusals.0
}

struct Refusals(Vec<Problem>);

impl Refusals {
    fn server(&mut self, server: &Server, env: Environment) {
        if !is_host_and_port(&server.bind) {
            self.refuse("server.bind", r#"must be host:port, such as "127.0.0.1:3000" or "[::1]:3000""#);
        }
        self.url("server.public_url", &server.public_url, env);
        self.url("server.frontend_url", &server.frontend_url, env);
        if env == Environment::Production && server.trusted_proxies.iter().any(|net| net.prefix_len() == 0) {
            self.refuse(
                "server.trusted_proxies",
                "must not hold the whole internet in production, or any client could choose its address; \
                 name the proxies' networks",
            );
        }
        self.within("server.workers", server.workers, 0..=1_024);
        self.within("server.max_connections", server.max_connections, 1..=1_000_000);
        self.lasts("server.head_timeout", server.head_timeout, MILLISECOND..=HOUR);
        self.lasts("server.body_timeout", server.body_timeout, MILLISECOND..=HOUR);
        self.lasts("server.keep_alive", server.keep_alive, MILLISECOND..=HOUR);
        self.lasts("server.shutdown_timeout", server.shutdown_timeout, SECOND..=HOUR);
    }

    fn url(&mut self, key: &str, url: &Url, env: Environment) {
        if !matches!(url.scheme(), "http" | "https") {
            self.refuse(key, "must begin with https:// or http://");
        } else if env == Environment::Production && url.scheme() == "http" && !is_this_machine(url) {
            self.refuse(key, "must begin with https:// in production; http:// only does for localhost");
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
            self.refuse("database.path", r#"must name a file, such as "storage/cloakroom.db""#);
        }
        if database.path.as_os_str() == ":memory:" {
            self.refuse(
                "database.path",
                "must be a file: each connection would have a database in memory of its own",
            );
        }
        self.within("database.readers", database.readers, 0..=1_024);
        self.lasts("database.busy_timeout", database.busy_timeout, MILLISECOND..=MINUTE);
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
                Some(exact) => self
                    .refuse("cors.origins", format!("must hold {exact:?} exactly so, as browsers send it")),
                None => self.refuse(
                    "cors.origins",
                    format!(r#"must hold origins such as "https://app.example.com", not {origin:?}"#),
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
            self.refuse("mail.directory", r#"must name a directory while mail.transport is "file""#);
        }
        let from_name = mail.from.name.as_deref().unwrap_or_default();
        if from_name.chars().any(char::is_control) {
            self.refuse("mail.from", "must be one line without control characters");
        }
        let name = &mail.service_name;
        if name.trim().is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            self.refuse("mail.service_name", "must be one line of 1 to 100 characters");
        }
    }

    fn smtp(&mut self, smtp: &Smtp, transport: MailTransport) {
        if transport == MailTransport::Smtp && smtp.host.is_empty() {
            self.refuse("mail.smtp.host", r#"must be given while mail.transport is "smtp""#);
        }
        if !smtp.host.is_empty() && !is_host(&smtp.host) {
            self.refuse("mail.smtp.host", "must be a host name or an IP address, without scheme or port");
        }
        match (&smtp.username, &smtp.password) {
            (Some(_), None) => self.refuse("mail.smtp.password", "must be given with mail.smtp.username"),
            (None, Some(_)) => self.refuse("mail.smtp.username", "must be given with mail.smtp.password"),
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
        self.within("password.queue_limit", password.queue_limit, 1..=100_000);
    }

    fn session(&mut self, session: &Session) {
        let spans = [("session.lifetime", session.lifetime), ("session.idle_timeout", session.idle_timeout)];
        for (key, span) in spans {
            self.lasts(key, span, SECOND..=AGES);
            if span > session.remember_lifetime {
                let longest = duration::format(session.remember_lifetime);
                self.refuse(key, format!("must be at most session.remember_lifetime, which is {longest}"));
            }
        }
        self.lasts("session.remember_lifetime", session.remember_lifetime, SECOND..=AGES);
        self.within("session.max_per_user", session.max_per_user, 1..=100_000);
    }

    fn throttle(&mut self, throttle: &Throttle) {
        self.limit("throttle.sign_in", throttle.sign_in);
        self.limit("throttle.reset", throttle.reset);
        self.limit("throttle.sign_up", throttle.sign_up);
        self.limit("throttle.address_failures", throttle.address_failures);
        self.limit("throttle.reset_mails", throttle.reset_mails);
    }

    fn limit(&mut self, key: &str, limit: Limit) {
        self.within(key, limit.count, 1..=1_000_000);
        self.lasts(key, limit.window, SECOND..=AGES);
    }

    fn log(&mut self, log: &Log) {
        // A lone word that is no level would name a module, and a misspelt level would silence the log.
        let misspelt = log.level.split(',').map(str::trim).any(|part| {
            part.is_empty() || (part.chars().all(char::is_alphabetic) && part.parse::<LevelFilter>().is_err())
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
            self.refuse(key, format!("must be from {} to {}, not {value}", range.start(), range.end()));
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
        let host_is_sound = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => !host.contains(':') && is_host(host),
        };
        // `parse` alone would take "+80".
        host_is_sound && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
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

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The refusals of an environment's settings after `change`, one a line.
    fn refused(env: Environment, change: impl FnOnce(&mut Settings)) -> String {
        let mut settings = Settings::for_env(Environment::Development).unwrap();
        settings.env = env;
        if env == Environment::Production {
            settings.secrets.key_base = Some(Secret::from("k".repeat(SHORTEST_SECRET)));
        }
        change(&mut settings);
        settings.check().err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[track_caller]
    fn refuses(key: &str, change: impl FnOnce(&mut Settings)) {
        refuses_in(Environment::Development, key, change);
    }

    #[track_caller]
    fn refuses_in(env: Environment, key: &str, change: impl FnOnce(&mut Settings)) {
        let lines = refused(env, change);
        assert!(!lines.is_empty(), "{key} is accepted");
        for line in lines.lines() {
            assert!(line.starts_with(&format!("{key}: must ")), "{line}");
        }
    }

    #[track_caller]
    fn accepts(change: impl FnOnce(&mut Settings)) {
        assert_eq!(refused(Environment::Development, change), "");
    }

    #[track_caller]
    fn accepts_in_production(change: impl FnOnce(&mut Settings)) {
        assert_eq!(refused(Environment::Production, change), "");
    }

    #[test]
    fn a_secret_shorter_than_32_bytes_is_refused() {
        let secret = |length| Secret::from("k".repeat(length));
        refuses("secrets.key_base", |s| s.secrets.key_base = Some(secret(31)));
        refuses("secrets.previous", |s| s.secrets.previous = vec![secret(32), secret(31)]);
        accepts(|s| s.secrets.key_base = Some(secret(32)));
    }

    #[test]
    fn production_needs_a_key_base() {
        refuses_in(Environment::Production, "secrets.key_base", |s| s.secrets.key_base = None);
        accepts(|s| s.secrets.key_base = None);
    }

    #[test]
    fn production_needs_https_except_for_localhost() {
        for plain in ["http://example.com", "http://localhost.example.com", "http://10.0.0.1:3000"] {
            let url: Url = plain.parse().unwrap();
            refuses_in(Environment::Production, "server.public_url", |s| s.server.public_url = url.clone());
            refuses_in(Environment::Production, "server.frontend_url", |s| {
                s.server.frontend_url = url.clone()
            });
            accepts(|s| s.server.public_url = url);
        }
        for sound in ["https://example.com", "http://localhost:3000", "http://127.0.0.1", "http://[::1]:3000"]
        {
            accepts_in_production(|s| s.server.public_url = sound.parse().unwrap());
        }
    }

    #[test]
    fn a_url_is_http_without_credentials_query_or_fragment() {
        for bad in [
            "ftp://example.com",
            "javascript:alert(1)",
            "https://user@example.com",
            "https://:secret@example.com",
            "https://example.com/?a=b",
            "https://example.com/?",
            "https://example.com/#top",
        ] {
            refuses("server.public_url", |s| s.server.public_url = bad.parse().unwrap());
            refuses("server.frontend_url", |s| s.server.frontend_url = bad.parse().unwrap());
        }
        accepts(|s| s.server.frontend_url = "https://example.com/app/".parse().unwrap());
    }

    #[test]
    fn bind_is_a_host_and_a_port() {
        for bad in [
            "",
            "3000",
            ":3000",
            "127.0.0.1",
            "127.0.0.1:",
            "a:b",
            "a:+1",
            "a:70000",
            "::1:3000",
            "[::1]",
            "[a]:1",
            "http://a:1",
        ] {
            refuses("server.bind", |s| s.server.bind = bad.to_owned());
        }
        for good in
            ["127.0.0.1:0", "0.0.0.0:80", "[::1]:3000", "[::]:3000", "localhost:3000", "my-host.example:1"]
        {
            accepts(|s| s.server.bind = good.to_owned());
        }
    }

    #[test]
    fn the_whole_internet_is_no_trusted_proxy_in_production() {
        for net in ["0.0.0.0/0", "::/0"] {
            let proxies = vec!["10.0.0.0/8".parse().unwrap(), net.parse().unwrap()];
            refuses_in(Environment::Production, "server.trusted_proxies", |s| {
                s.server.trusted_proxies = proxies.clone();
            });
            accepts(|s| s.server.trusted_proxies = proxies);
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for bad in [
            "https://example.com/",
            "https://example.com/app",
            "https://EXAMPLE.com",
            "https://example.com:443",
            "https://user@example.com",
            "https://*.example.com",
            "https://bücher.example",
            "example.com",
            "ftp://example.com",
            "null",
            "",
        ] {
            refuses("cors.origins", |s| s.cors.origins = vec![bad.to_owned()]);
        }
        for good in [
            "https://example.com",
            "http://localhost:3001",
            "http://[::1]:8080",
            "https://xn--bcher-kva.example",
        ] {
            accepts(|s| s.cors.origins = vec![good.to_owned()]);
        }
    }

    #[test]
    fn any_origin_is_alone_and_without_credentials() {
        let any = || vec!["*".to_owned()];
        accepts(|s| s.cors.origins = any());
        refuses("cors.origins", |s| {
            s.cors.origins = any();
            s.cors.credentials = true;
        });
        refuses("cors.origins", |s| s.cors.origins.push("*".to_owned()));
    }

    #[test]
    fn smtp_needs_a_host() {
        refuses("mail.smtp.host", |s| s.mail.transport = MailTransport::Smtp);
        for bad in ["mail.example.com:25", "smtp://mail.example.com", "mail example"] {
            refuses("mail.smtp.host", |s| s.mail.smtp.host = bad.to_owned());
        }
        for good in ["mail.example.com", "10.0.0.1", "::1", "mail_relay"] {
            accepts(|s| {
                s.mail.transport = MailTransport::Smtp;
                s.mail.smtp.host = good.to_owned();
            });
        }
    }

    #[test]
    fn smtp_needs_both_user_name_and_password_or_neither() {
        refuses("mail.smtp.password", |s| s.mail.smtp.username = Some("mailer".to_owned()));
        refuses("mail.smtp.username", |s| s.mail.smtp.password = Some(Secret::from("x".to_owned())));
    }

    #[test]
    fn a_password_goes_to_the_mail_server_in_clear_on_loopback_only() {
        let sign_in = |host: &str| {
            let host = host.to_owned();
            move |s: &mut Settings| {
                s.mail.smtp.host = host;
                s.mail.smtp.tls = SmtpTls::None;
                s.mail.smtp.username = Some("mailer".to_owned());
                s.mail.smtp.password = Some(Secret::from("x".to_owned()));
            }
        };
        refuses("mail.smtp.tls", sign_in("mail.example.com"));
        for host in ["localhost", "127.0.0.1", "::1"] {
            accepts(sign_in(host));
        }
    }

    #[test]
    fn mails_have_a_place_a_sender_and_a_name_of_one_line() {
        refuses("mail.directory", |s| s.mail.directory = "".into());
        refuses("mail.from", |s| s.mail.from.name = Some("A\r\nBcc: b@example.com".to_owned()));
        for bad in ["", " ", "A\nB", &"a".repeat(101)] {
            refuses("mail.service_name", |s| s.mail.service_name = bad.to_owned());
        }
    }

    #[test]
    fn the_database_is_a_file() {
        refuses("database.path", |s| s.database.path = "".into());
        refuses("database.path", |s| s.database.path = ":memory:".into());
    }

    #[test]
    fn bcrypt_is_cheap_under_test_only() {
        refuses("password.bcrypt_cost", |s| s.password.bcrypt_cost = 9);
        refuses("password.bcrypt_cost", |s| s.password.bcrypt_cost = 17);
        refuses_in(Environment::Production, "password.bcrypt_cost", |s| s.password.bcrypt_cost = 4);
        refuses_in(Environment::Test, "password.bcrypt_cost", |s| s.password.bcrypt_cost = 3);
        refuses_in(Environment::Test, "password.bcrypt_cost", |s| s.password.bcrypt_cost = 32);
        assert_eq!(refused(Environment::Test, |s| s.password.bcrypt_cost = 4), "");
    }

    #[test]
    fn counts_have_bounds() {
        refuses("server.workers", |s| s.server.workers = 1_025);
        refuses("server.max_connections", |s| s.server.max_connections = 0);
        refuses("database.readers", |s| s.database.readers = 1_025);
        refuses("password.min_length", |s| s.password.min_length = 0);
        refuses("password.min_length", |s| s.password.min_length = 129);
        refuses("password.threads", |s| s.password.threads = 1_025);
        refuses("password.queue_limit", |s| s.password.queue_limit = 0);
        refuses("session.max_per_user", |s| s.session.max_per_user = 0);
    }

    #[test]
    fn durations_have_bounds() {
        refuses("server.head_timeout", |s| s.server.head_timeout = Duration::ZERO);
        refuses("server.body_timeout", |s| s.server.body_timeout = Duration::ZERO);
        refuses("server.keep_alive", |s| s.server.keep_alive = 2 * HOUR);
        refuses("server.shutdown_timeout", |s| s.server.shutdown_timeout = MILLISECOND);
        refuses("database.busy_timeout", |s| s.database.busy_timeout = Duration::ZERO);
        refuses("cors.max_age", |s| s.cors.max_age = 2 * DAY);
        refuses("mail.smtp.timeout", |s| s.mail.smtp.timeout = Duration::ZERO);
        refuses("session.lifetime", |s| s.session.lifetime = Duration::ZERO);
        refuses("session.idle_timeout", |s| s.session.idle_timeout = Duration::ZERO);
        refuses("session.remember_lifetime", |s| s.session.remember_lifetime = 2 * AGES);
    }

    #[test]
    fn no_session_outlasts_a_remembered_one() {
        refuses("session.lifetime", |s| s.session.lifetime = 181 * DAY);
        refuses("session.idle_timeout", |s| s.session.idle_timeout = 181 * DAY);
        accepts(|s| s.session.lifetime = 180 * DAY);
    }

    #[test]
    fn limits_let_something_through() {
        let none = Limit { count: 0, window: MINUTE };
        refuses("throttle.sign_in", |s| s.throttle.sign_in = none);
        refuses("throttle.reset", |s| s.throttle.reset = none);
        refuses("throttle.sign_up", |s| s.throttle.sign_up = none);
        refuses("throttle.address_failures", |s| s.throttle.address_failures = none);
        refuses("throttle.reset_mails", |s| s.throttle.reset_mails = none);
        refuses("throttle.sign_in", |s| s.throttle.sign_in.window = Duration::ZERO);
    }

    #[test]
    fn a_log_level_is_a_level_or_directives() {
        for bad in ["", "inof", "info,", "info, inof", "cloakroom=loud", "info,debgu"] {
            refuses("log.level", |s| s.log.level = bad.to_owned());
        }
        for good in ["info", "WARN", "info,cloakroom=debug", "warn,actix_web=off", "cloakroom::mail=trace"] {
            assert_eq!(
                (good, &*refused(Environment::Development, |s| s.log.level = good.to_owned())),
                (good, "")
            );
        }
    }
}
