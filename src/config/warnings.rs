//! Settings that can work and are unsafe for real users. They have honest uses, so the start logs them and
//! `cloakroom doctor` names them, where [`Settings::check`] would refuse.

use std::net::IpAddr;

use super::error::Problem;
use super::load::known_keys;
use super::{Environment, MailTransport, Settings, SmtpTls, Sources};

/// The minimum of NIST SP 800-63B, revision 3.
const SHORTEST_PASSWORD: usize = 8;

impl Settings {
    /// What is unsafe for real users, each with what the value should be.
    pub fn warnings(&self) -> Vec<Problem> {
        let mut warnings = Vec::new();
        let mut warn = |key: &str, message: &str| warnings.push(Problem::new(key, message));
        let is_https = self.server.public_url.scheme() == "https";
        if self.env == Environment::Production {
            if !self.throttle.enabled {
                warn(
                    "throttle.enabled",
                    "should be true in production: passwords can be guessed without limit",
                );
            }
            let smtp = &self.mail.smtp;
            if self.mail.transport == MailTransport::Smtp
                && smtp.tls == SmtpTls::None
                && !smtp.is_on_this_machine()
            {
                warn(
                    "mail.smtp.tls",
                    "should be \"required\" or \"starttls\": reset links cross the network in clear",
                );
            }
            for key in self.links.logged() {
                warn(
                    key,
                    "should have {token} behind #: web servers and proxies log what is before it",
                );
            }
            if !self.password.reject_common || self.password.min_length < SHORTEST_PASSWORD {
                warn(
                    "password",
                    "should have reject_common = true and min_length of at least 8 in production",
                );
            }
        } else {
            let env = self.env;
            if is_https {
                warn(
                    "CLOAKROOM_ENV",
                    &format!(
                        "is {env}, and server.public_url is https: real users need production, where unsafe \
                         settings are refused"
                    ),
                );
            }
            if !is_bound_to_loopback(&self.server.bind) {
                warn(
                    "CLOAKROOM_ENV",
                    &format!(
                        "is {env}, and server.bind {} is open to other machines: real users need production, where \
                         unsafe settings are refused",
                        self.server.bind
                    ),
                );
            }
        }
        if let Some(bind) = self
            .metrics
            .bind
            .as_deref()
            .filter(|bind| !is_bound_to_loopback(bind))
        {
            warn(
                "metrics.bind",
                &format!(
                    "is {bind}, which other machines reach: a firewall should admit Prometheus alone, since the figures \
                     need no credential"
                ),
            );
        }
        if is_https && self.server.trusted_proxies.is_empty() {
            warn(
                "server.trusted_proxies",
                "should name the proxy that terminates TLS: all clients share its address, and ten failed sign-ins \
                 by any of them lock out all",
            );
        }
        warnings
    }
}

impl Sources {
    /// The ignored variables that name a setting but for their underscores, each with the name that sets it. Others are not
    /// ours to report: Kubernetes sets `CLOAKROOM_PORT` and its like for a service of this name.
    pub fn warnings(&self) -> Vec<Problem> {
        let keys = known_keys();
        let with_one = |key: &str| format!("CLOAKROOM_{}", key.replace('.', "_").to_uppercase());
        let with_two = |key: &str| format!("CLOAKROOM__{}", key.replace('.', "__").to_uppercase());
        let found = self.ignored.iter().filter_map(|name| {
            let bare = name.strip_suffix("__FILE").or(name.strip_suffix("_FILE"));
            let suffix = if bare.is_some() { "__FILE" } else { "" };
            let bare = bare.unwrap_or(name).replace("__", "_");
            let key = keys.iter().find(|key| with_one(key) == bare)?;
            let message = format!("sets nothing: name it {}{suffix}", with_two(key));
            Some(Problem::new(name.clone(), message))
        });
        found.collect()
    }
}

fn is_bound_to_loopback(bind: &str) -> bool {
    let host = bind.rsplit_once(':').map_or(bind, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_with_one_underscore_is_reported() {
        let names = [
            "CLOAKROOM_SERVER_BIND",
            "CLOAKROOM_SECRETS_KEY_BASE_FILE",
            "CLOAKROOM_PASSWORD__MIN_LENGTH",
            "CLOAKROOM_PORT",
            "CLOAKROOM_SERVICE_HOST",
        ];
        let sources = Sources {
            env: Environment::Test,
            file: None,
            variables: Vec::new(),
            ignored: names.map(str::to_owned).into(),
        };
        let warnings = sources.warnings();
        let texts = warnings
            .iter()
            .map(|warning| format!("{} {}", warning.key, warning.message));
        assert_eq!(
            texts.collect::<Vec<_>>(),
            [
                "CLOAKROOM_SERVER_BIND sets nothing: name it CLOAKROOM__SERVER__BIND",
                "CLOAKROOM_SECRETS_KEY_BASE_FILE sets nothing: name it CLOAKROOM__SECRETS__KEY_BASE__FILE",
                "CLOAKROOM_PASSWORD__MIN_LENGTH sets nothing: name it CLOAKROOM__PASSWORD__MIN_LENGTH",
            ]
        );
    }
}
