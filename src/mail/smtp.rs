//! Sends mail through a mail server: one dialogue per mail, on a connection that is kept while mails follow each other.
//!
//! Lettre writes the commands and reads the replies; the dialogue is here, and not lettre's transport, for the reasons
//! in `docs/decisions/0038-the-smtp-dialogue-is-ours.md`.
//!
//! # Threats
//! - a late reply taken for the reply to another command: a connection is kept only after it accepted a mail
//! - replies injected before TLS (STARTTLS injection): `AUTH` and `DATA` require their exact reply codes
//! - a server that answers each command just in time: the whole delivery has a deadline too

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use parking_lot::Mutex;
use tokio::time::{Instant, timeout};

use super::message::Email;
use super::send_error::{Cause, SendError, SmtpError, Step};
use crate::config::{self, SmtpTls};
use crate::domain::error::{Error, Result};

/// The longest attempt to send, whatever the settings and the mail server do.
pub const LONGEST_SEND: Duration = Duration::from_secs(60);

/// Most servers close an idle connection after minutes, some networks drop it sooner.
const LONGEST_IDLE: Duration = Duration::from_secs(30);

/// A mail server and how to reach it.
pub struct SmtpClient {
    host: String,
    port: u16,
    hello: ClientId,
    security: Security,
    credentials: Option<Credentials>,
    timeout: Duration,
    idle: Mutex<Vec<IdleConnection>>,
}

enum Security {
    Implicit(TlsParameters),
    Starttls(TlsParameters),
    Clear,
}

struct IdleConnection {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl SmtpClient {
    pub(super) fn from_settings(mail: &config::Mail) -> Result<Self> {
        let smtp = &mail.smtp;
        let parameters = || tls_parameters(&smtp.host, smtp.ca_file.as_deref());
        let security = match smtp.tls {
            SmtpTls::Required => Security::Implicit(parameters()?),
            SmtpTls::Starttls => Security::Starttls(parameters()?),
            SmtpTls::None => Security::Clear,
        };
        let credentials = smtp.username.clone().map(|username| {
            let password = smtp
                .password
                .as_ref()
                .map_or("", |password| password.expose());
            Credentials::new(username, password.to_owned())
        });
        Ok(Self {
            host: smtp.host.clone(),
            port: smtp.port(),
            hello: hello(mail.from.domain()),
            security,
            credentials,
            timeout: smtp.timeout,
            idle: Mutex::default(),
        })
    }

    pub(super) async fn send(&self, email: &Email) -> Result<(), SendError> {
        self.with_deadline(self.deliver(email))
            .await
            .map_err(|fault| {
                let reason = fault.to_string();
                match fault.is_permanent() {
                    true => SendError::Permanent(reason),
                    false => SendError::Transient(reason),
                }
            })
    }

    pub(super) async fn probe(&self) -> Result<(), String> {
        let tried = self.with_deadline(async {
            let mut connection = self.connect().await?;
            self.command(&mut connection, Step::Noop, Noop).await?;
            self.quit(connection);
            Ok(())
        });
        tried.await.map_err(|fault| {
            let (host, port, advice) = (&self.host, self.port, fault.advice());
            format!("the mail server {host}:{port} cannot be used ({fault}): {advice}")
        })
    }

    pub(super) async fn close_idle(&self) {
        while let Some(IdleConnection { mut connection, .. }) = self.take_idle() {
            // The connection is closed whatever the server replies.
            let _ = timeout(self.timeout, connection.abort()).await;
        }
    }

    async fn deliver(&self, email: &Email) -> Result<(), SmtpError> {
        let mut connection = self.connection().await?;
        match self.transmit(&mut connection, email).await {
            Ok(()) => {
                self.keep(connection);
                Ok(())
            }
            Err(fault) => {
                if fault.is_intact() {
                    self.quit(connection);
                }
                Err(fault)
            }
        }
    }

    /// The idle connection if it still answers, else a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        if let Some(IdleConnection {
            mut connection,
            since,
        }) = self.take_idle()
            && since.elapsed() < LONGEST_IDLE
            && self
                .command(&mut connection, Step::Noop, Noop)
                .await
                .is_ok()
        {
            return Ok(connection);
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let implicit = match &self.security {
            Security::Implicit(parameters) => Some(parameters.clone()),
            Security::Starttls(_) | Security::Clear => None,
        };
        let server = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            server,
            Some(self.timeout),
            &self.hello,
            implicit,
            None,
        );
        let mut connection = self.within(Step::Connect, connecting).await?;

        if let Security::Starttls(parameters) = &self.security {
            if !connection
                .server_info()
                .supports_feature(Extension::StartTls)
            {
                return Err(SmtpError::new(Step::Starttls, Cause::NotOffered));
            }
            self.within(
                Step::Starttls,
                connection.starttls(parameters.clone(), &self.hello),
            )
            .await?;
        }
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            if connection
                .server_info()
                .get_auth_mechanism(&mechanisms)
                .is_none()
            {
                return Err(SmtpError::new(Step::Auth, Cause::NotOffered));
            }
            let answer = self
                .within(Step::Auth, connection.auth(&mechanisms, credentials))
                .await?;
            expect(Step::Auth, &answer)?;
        }
        Ok(connection)
    }

    async fn transmit(
        &self,
        connection: &mut AsyncSmtpConnection,
        email: &Email,
    ) -> Result<(), SmtpError> {
        let (from, to) = (
            email.message.envelope().from(),
            email.message.envelope().to(),
        );
        let mut parameters = Vec::new();
        if !from
            .into_iter()
            .chain(to)
            .all(|address| address.to_string().is_ascii())
        {
            if !connection
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
            {
                return Err(SmtpError::new(Step::Recipient, Cause::NotOffered));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }

        self.command(
            connection,
            Step::Sender,
            Mail::new(from.cloned(), parameters),
        )
        .await?;
        for recipient in to {
            self.command(
                connection,
                Step::Recipient,
                Rcpt::new(recipient.clone(), Vec::new()),
            )
            .await?;
        }
        self.command(connection, Step::Data, Data).await?;
        let mail = email.message.formatted();
        let answer = self
            .within(Step::Content, connection.message(&mail))
            .await?;
        expect(Step::Content, &answer)
    }

    async fn command(
        &self,
        connection: &mut AsyncSmtpConnection,
        step: Step,
        command: impl fmt::Display,
    ) -> Result<(), SmtpError> {
        let answer = self.within(step, connection.command(command)).await?;
        expect(step, &answer)
    }

    /// Runs one step within its time: twice that of a command for connecting with its look-ups and handshakes, and for
    /// the message, which servers scan before they reply.
    async fn within<T>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, smtp::Error>>,
    ) -> Result<T, SmtpError> {
        let patience = match step {
            Step::Connect | Step::Starttls | Step::Content => self.timeout * 2,
            _ => self.timeout,
        };
        match timeout(patience, work).await {
            Ok(done) => done.map_err(|error| SmtpError::new(step, Cause::of(&error))),
            Err(_) => Err(SmtpError::new(step, Cause::TimedOut)),
        }
    }

    /// Limits the whole delivery, since each step may use its full time.
    async fn with_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, SmtpError>>,
    ) -> Result<T, SmtpError> {
        let deadline = LONGEST_SEND.min(self.timeout * 3);
        match timeout(deadline, work).await {
            Ok(done) => done,
            Err(_) => Err(SmtpError::new(Step::Whole, Cause::TimedOut)),
        }
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let since = Instant::now();
        self.idle.lock().push(IdleConnection { connection, since });
    }

    fn take_idle(&self) -> Option<IdleConnection> {
        self.idle.lock().pop()
    }

    /// Sends `QUIT` and closes, in the background.
    fn quit(&self, mut connection: AsyncSmtpConnection) {
        let patience = self.timeout;
        tokio::spawn(async move { timeout(patience, connection.abort()).await });
    }
}

/// Exact reply codes where there is one: a reply injected before TLS shifts all that follow, and must not make a mail
/// look accepted.
fn expect(step: Step, answer: &Response) -> Result<(), SmtpError> {
    let code = u16::from(answer.code());
    let expected = match step {
        Step::Auth => code == 235,
        Step::Data => code == 354,
        _ => (200..300).contains(&code),
    };
    match expected {
        true => Ok(()),
        false => Err(SmtpError::new(step, Cause::Unreadable)),
    }
}

/// The system's certificate authorities and those of the file. Chain, dates and name are verified.
fn tls_parameters(host: &str, ca_file: Option<&Path>) -> Result<TlsParameters> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = ca_file {
        let unusable = |fault: &dyn fmt::Display| {
            Error::internal(format!(
                "mail.smtp.ca_file {} cannot be used: {fault}",
                path.display()
            ))
        };
        let pem = fs::read(path).map_err(|fault| unusable(&fault))?;
        // Lettre ignores a file without a certificate.
        if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
            return Err(unusable(&"it holds no PEM certificate"));
        }
        let certificate = Certificate::from_pem(&pem).map_err(|fault| unusable(&fault))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|fault| {
        Error::internal(format!("TLS for mail.smtp.host cannot be set up: {fault}"))
    })
}

/// The sender's domain, or the host's name where the domain cannot be part of `EHLO`.
fn hello(domain: &str) -> ClientId {
    match domain.is_ascii()
        && domain.contains(|c: char| c.is_ascii_alphabetic())
        && !domain.starts_with('[')
    {
        true => ClientId::Domain(domain.to_owned()),
        false => ClientId::default(),
    }
}
