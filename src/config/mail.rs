//! `[mail]` and `[mail.smtp]`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::declare::section;
use super::problems::{HOUR, Problems, SECOND, is_host};
use super::sender::Sender;
use super::values::{NOT_ONE_LINE, duration, unset};
use super::{Environment, Secret};

section! {
    /// Mails and how they are sent.
    Mail {
        /// "file" writes .eml files into `directory`, so that no mail is sent by accident; "smtp" sends.
        transport: MailTransport = "file",
        /// Folder for "file".
        directory: PathBuf = "storage/mail",
        /// The sender, an address with or without a name.
        from: Sender = "Cloakroom <no-reply@localhost>",
        /// A directory of templates that replace the built-in ones, with a directory for each further language; "" is unset.
        #[serde(with = "unset")]
        templates: Option<PathBuf> = "",
        /// The name of the service in mails.
        service_name: String = "Cloakroom",
        /// The most mails that are sent in an hour; more wait. Mails that a sign-up causes get three quarters of it. 0 is
        /// no ceiling.
        max_per_hour: u32 = 1_000 in 0..=10_000_000,
        /// The mail server.
        smtp: Smtp,
    }
}

/// How mails are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTransport {
    /// As `.eml` files in a directory.
    File,
    /// To a server.
    Smtp,
}

impl Mail {
    pub(super) fn check(&self, env: Environment, problems: &mut Problems) {
        if self.transport == MailTransport::File && self.directory.as_os_str().is_empty() {
            problems.refuse(
                "mail.directory",
                r#"must name a directory while mail.transport is "file""#,
            );
        }
        if self.from.to_string().parse().as_ref() != Ok(&self.from) {
            problems.refuse(
                "mail.from",
                "must be a name of one line and an address in ASCII",
            );
        }
        if env == Environment::Production
            && self.transport == MailTransport::Smtp
            && self.from.domain() == "localhost"
            && !self.smtp.is_on_this_machine()
        {
            problems.refuse(
                "mail.from",
                r#"must be an address of your domain while mail.transport is "smtp": mail servers refuse "localhost""#,
            );
        }
        let name = &self.service_name;
        if name.trim().is_empty()
            || name.chars().count() > 100
            || name.chars().any(char::is_control)
        {
            problems.refuse(
                "mail.service_name",
                "must be one line of 1 to 100 characters",
            );
        }
        if self.transport == MailTransport::Smtp && self.smtp.host.is_empty() {
            problems.refuse(
                "mail.smtp.host",
                r#"must be given while mail.transport is "smtp""#,
            );
        }
        self.smtp.check(problems);
    }
}

section! {
    /// The mail server for `mail.transport` "smtp".
    Smtp {
        /// The mail server, without scheme or port; required if `mail.transport` is "smtp".
        host: String = "",
        /// 0 is the standard port: 465 for tls "required", 587 for "starttls", 25 for "none".
        port: u16 = 0,
        /// The account on the mail server: set username and password, or neither; "" is unset.
        #[serde(with = "unset")]
        username: Option<String> = "",
        /// The password of that account; "" is unset.
        #[serde(with = "unset")]
        password: Option<Secret> = "",
        /// "required" uses TLS from the first byte (RFC 8314), "starttls" requires the upgrade, "none" is for loopback.
        tls: SmtpTls = "required",
        /// A PEM file with an additional certificate authority, for a private server; "" is unset.
        #[serde(with = "unset")]
        ca_file: Option<PathBuf> = "",
        /// How long one SMTP command may take; a delivery takes at most a minute.
        #[serde(with = "duration")]
        timeout: Duration = "10s" in SECOND..=HOUR,
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

impl Smtp {
    /// The port to connect to: as configured, or the standard one for `tls`.
    pub fn port(&self) -> u16 {
        match (self.port, self.tls) {
            (0, SmtpTls::Required) => 465,
            (0, SmtpTls::Starttls) => 587,
            (0, SmtpTls::None) => 25,
            (port, _) => port,
        }
    }

    /// Whether no network is on the way to it.
    pub(super) fn is_on_this_machine(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    fn check(&self, problems: &mut Problems) {
        let usable = self.host.is_ascii() && is_host(&self.host);
        if !self.host.is_empty() && !usable {
            problems.refuse(
                "mail.smtp.host",
                "must be a host name in ASCII or an IP address, without scheme or port",
            );
        }
        // SASL separates the two with NUL (RFC 4616).
        if let Some(username) = &self.username
            && username.contains(char::is_control)
        {
            problems.refuse("mail.smtp.username", "must have no control characters");
        }
        if let Some(password) = &self.password
            && password.expose().contains(char::is_control)
        {
            problems.refuse("mail.smtp.password", "must have no control characters");
        }
        match (&self.username, &self.password) {
            (Some(_), None) => problems.refuse(
                "mail.smtp.password",
                "must be given with mail.smtp.username",
            ),
            (None, Some(_)) => problems.refuse(
                "mail.smtp.username",
                "must be given with mail.smtp.password",
            ),
            _ => {}
        }
        let password = self.password.as_ref().map(Secret::expose);
        if password.is_some_and(|text| text.contains(char::is_control)) {
            problems.refuse("mail.smtp.password", NOT_ONE_LINE);
        }
        if self.username.is_some() && self.tls == SmtpTls::None && !self.is_on_this_machine() {
            problems.refuse(
                "mail.smtp.tls",
                r#"must be "required" or "starttls", or the password would cross the network in clear"#,
            );
        }
    }
}
