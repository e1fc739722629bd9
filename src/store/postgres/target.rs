//! Where the server is and how it is reached: `database.url`, as libpq reads it, with stricter TLS.
//!
//! # Threats
//! - an attacker between server and database: `sslmode=require` verifies chain, dates and name of the certificate, as
//!   `verify-full` does; it is the default, except for this machine. `prefer` and `allow`, which fall back to clear text,
//!   and `verify-ca`, which accepts any name, are refused
//! - the password in a log: the URL is a secret; messages name the hosts

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::crypto::tls_provider;
use crate::domain::error::{Error, Result};

/// How long a host may take to accept a session.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// After this long without an answer of its kernel, a server is gone.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(10);

/// What a connection needs.
#[derive(Clone)]
pub(super) struct Target {
    /// What messages call the URL.
    pub setting: &'static str,
    config: Config,
    /// The same for each host alone, so that one that hangs takes no time from the next.
    pub hosts: Vec<Config>,
    pub connect_timeout: Duration,
    pub tls: MakeRustlsConnect,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// For the operator, without the text of the URL.
    pub fn parse(setting: &'static str, url: &str) -> Result<Self> {
        let fail = |text: &str| Error::internal(format!("{setting}: {text}"));
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut mode = None;
        let mut authorities = None;
        let mut others = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => authorities = Some(decoded(value)),
                _ => others.push(pair),
            }
        }
        let url = format!("{base}?{}", others.join("&"));
        let mut config: Config = url.parse().map_err(|fault: tokio_postgres::Error| {
            // The library names the parameter, never a value.
            let cause = std::error::Error::source(&fault).map(ToString::to_string);
            fail(&format!(
                "is no URL of PostgreSQL ({})",
                cause.unwrap_or_else(|| fault.to_string())
            ))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(fail("names no host"));
        }
        let verifies = match mode {
            Some("disable") => false,
            Some("require" | "verify-full") => true,
            None => !is_this_machine(&config),
            Some(_) => {
                return Err(fail(
                    r#"sslmode must be "verify-full", "require" (the same here) or "disable""#,
                ));
            }
        };
        config.ssl_mode(match verifies {
            true => SslMode::Require,
            false => SslMode::Disable,
        });
        if config.get_application_name().is_none() {
            config.application_name("cloakroom");
        }
        let tls = tls(verifies, authorities.as_deref()).map_err(|fault| fail(&fault))?;
        let hosts = each_host(&config).map_err(fail)?;
        let connect_timeout = config.get_connect_timeout().copied();
        Ok(Self {
            setting,
            config,
            hosts,
            connect_timeout: connect_timeout.unwrap_or(CONNECT_TIMEOUT),
            tls,
        })
    }

    /// Host, port and database, for messages.
    pub fn describe(&self) -> String {
        let ports = self.config.get_ports();
        let hosts = self
            .config
            .get_hosts()
            .iter()
            .enumerate()
            .map(|(at, host)| {
                let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
                match host {
                    Host::Tcp(name) => format!("{name}:{port}"),
                    Host::Unix(path) => path.display().to_string(),
                }
            });
        let mut hosts: Vec<String> = hosts.collect();
        if hosts.is_empty() {
            let addresses = self.config.get_hostaddrs().iter();
            hosts = addresses.map(ToString::to_string).collect();
        }
        let name = self.config.get_dbname().or(self.config.get_user());
        format!("{}/{}", hosts.join(","), name.unwrap_or_default())
    }
}

/// What the URL says, once for each of its hosts.
fn each_host(config: &Config) -> Result<Vec<Config>, &'static str> {
    let (names, addresses, ports) = (
        config.get_hosts(),
        config.get_hostaddrs(),
        config.get_ports(),
    );
    let count = names.len().max(addresses.len());
    let fits = |length: usize| length == 0 || length == count;
    if !fits(names.len()) || !fits(addresses.len()) || !(fits(ports.len()) || ports.len() == 1) {
        return Err("has another number of hosts than of addresses or ports");
    }
    let host = |at: usize| {
        let mut one = Config::new();
        match names.get(at) {
            Some(Host::Tcp(name)) => {
                one.host(name);
            }
            Some(Host::Unix(path)) => {
                one.host_path(path);
            }
            None => {}
        }
        addresses.get(at).map(|address| one.hostaddr(*address));
        let port = ports.get(at).or(ports.first());
        port.map(|port| one.port(*port));
        config.get_user().map(|user| one.user(user));
        config.get_password().map(|password| one.password(password));
        config.get_dbname().map(|name| one.dbname(name));
        config.get_options().map(|options| one.options(options));
        let name = config.get_application_name();
        name.map(|name| one.application_name(name));
        one.ssl_mode(config.get_ssl_mode())
            .ssl_negotiation(config.get_ssl_negotiation())
            .channel_binding(config.get_channel_binding())
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .tcp_user_timeout(NETWORK_TIMEOUT)
            .keepalives_idle(NETWORK_TIMEOUT)
            .keepalives_interval(NETWORK_TIMEOUT / 5)
            .keepalives_retries(3);
        one
    };
    Ok((0..count).map(host).collect())
}

fn is_this_machine(config: &Config) -> bool {
    let is_local = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
    };
    config.get_hosts().iter().all(is_local)
        && config
            .get_hostaddrs()
            .iter()
            .all(std::net::IpAddr::is_loopback)
}

/// Trusts the authorities of a PEM file, or those of the system.
fn tls(is_used: bool, authorities: Option<&str>) -> Result<MakeRustlsConnect, String> {
    let mut roots = RootCertStore::empty();
    match authorities {
        _ if !is_used => {}
        None | Some("system") => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(path) => {
            let unusable = |fault: &dyn std::fmt::Display| {
                format!("sslrootcert {path} cannot be used: {fault}")
            };
            let pem = std::fs::read(Path::new(path)).map_err(|fault| unusable(&fault))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|fault| unusable(&fault))?;
                roots.add(certificate).map_err(|fault| unusable(&fault))?;
            }
            if roots.is_empty() {
                return Err(unusable(&"it has no PEM certificate"));
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(tls_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|fault| fault.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// A value of a query, whose `%2F` is a slash.
fn decoded(value: &str) -> String {
    url::form_urlencoded::parse(format!("v={value}").as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        Target::parse("database.url", url)
            .unwrap()
            .config
            .get_ssl_mode()
    }

    fn refusal(url: &str) -> String {
        Target::parse("database.url", url).unwrap_err().to_string()
    }

    #[test]
    fn connections_to_other_machines_verify_certificates() {
        for (url, expected) in [
            ("postgres://app@db.example.com/app", SslMode::Require),
            ("postgres://app@localhost/app", SslMode::Disable),
            ("postgres://app@127.0.0.1:5433/app", SslMode::Disable),
            ("postgres://app@%2Frun%2Fpostgresql/app", SslMode::Disable),
            (
                "postgres://app@localhost,db.example.com/app",
                SslMode::Require,
            ),
            (
                "postgres://app@db.example.com/app?sslmode=disable",
                SslMode::Disable,
            ),
            (
                "postgres://app@localhost/app?sslmode=verify-full",
                SslMode::Require,
            ),
            (
                "postgresql://app@localhost/app?sslmode=require",
                SslMode::Require,
            ),
        ] {
            assert_eq!(mode(url), expected, "{url}");
        }
    }

    #[test]
    fn modes_that_verify_less_are_refused() {
        for mode in ["prefer", "allow", "verify-ca", ""] {
            let refusal = refusal(&format!("postgres://app:hunter2@db/app?sslmode={mode}"));
            assert!(
                refusal.contains("sslmode") && !refusal.contains("hunter2"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn messages_never_have_the_password() {
        let target = Target::parse(
            "database.url",
            "postgres://app:hunter2@one:5433,two:5434/users",
        )
        .unwrap();
        assert_eq!(target.describe(), "one:5433,two:5434/users");
        assert!(!format!("{target:?}").contains("hunter2"));
        for url in [
            "postgres://app:hunter2@db/app?colour=red",
            "postgres://app:hunter2@db:port/app",
            "mysql://app:hunter2@db/app",
            "postgres://app:hunter2@/app",
            "postgres://app:hunter2@db/app?sslmode=verify-full&sslrootcert=/missing",
        ] {
            assert!(!refusal(url).contains("hunter2"), "{}", refusal(url));
        }
    }
}
