//! Mail through a mail server: one dialogue a mail, step by step, on a connection that is kept while mails follow
//! each other.
//!
//! Lettre writes the commands and reads the answers. Its own transport is not used: it puts no limit on the time
//! that an answer takes, keeps connections that were given up in the middle of a command, and does not tell at
//! which step a mail failed, which is what decides whether another try is of use.
//!
//! A connection is kept only after a mail was accepted on it. One that was given up in any other state is dropped,
//! so an answer that comes late is never taken for the answer to something else.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::time::{Instant, timeout};

use super::send_error::{Cause, Fault, Step};
use super::{Email, Failure, LONGEST_SEND};
use crate::config::{self, SmtpTls};
use crate::domain::error::{Error, Result};

/// Most servers close a silent connection after minutes, some networks forget it sooner.
const LONGEST_IDLE: Duration = Duration::from_secs(30);

/// A mail server and how to speak with it.
pub struct Client {
    host: String,
    port: u16,
    hello: ClientId,
    security: Security,
    credentials: Option<Credentials>,
    timeout: Duration,
    kept: Mutex<Vec<Kept>>,
}

enum Security {
    Implicit(TlsParameters),
    Starttls(TlsParameters),
    Clear,
}

struct Kept {
    line: AsyncSmtpConnection,
    since: Instant,
}

impl Client {
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
            kept: Mutex::default(),
        })
    }

    pub(super) async fn send(&self, letter: &Email) -> Result<(), Failure> {
        self.before_the_deadline(self.deliver(letter))
            .await
            .map_err(|fault| {
                let reason = fault.to_string();
                match fault.is_permanent() {
                    true => Failure::Permanent(reason),
                    false => Failure::Transient(reason),
                }
            })
    }

    pub(super) async fn probe(&self) -> Result<(), String> {
        let tried = self.before_the_deadline(async {
            let mut line = self.connect().await?;
            self.say(&mut line, Step::Noop, Noop).await?;
            self.goodbye(line);
            Ok(())
        });
        tried.await.map_err(|fault| {
            let (host, port, advice) = (&self.host, self.port, fault.advice());
            format!("the mail server {host}:{port} cannot be used ({fault}): {advice}")
        })
    }

    pub(super) async fn hang_up(&self) {
        while let Some(Kept { mut line, .. }) = self.take_kept() {
            // It is closed either way; the server's farewell changes nothing.
            let _ = timeout(self.timeout, line.abort()).await;
        }
    }

    async fn deliver(&self, letter: &Email) -> Result<(), Fault> {
        let mut line = self.line().await?;
        match self.respond_with_session(&mut line, letter).await {
            Ok(()) => {
                self.keep(line);
                Ok(())
            }
            Err(fault) => {
                if fault.is_answer() {
                    self.goodbye(line);
                }
                Err(fault)
            }
        }
    }

    /// The kept connection if it still answers, else a new one.
    async fn line(&self) -> Result<AsyncSmtpConnection, Fault> {
        if let Some(Kept { mut line, since }) = self.take_kept()
            && since.elapsed() < LONGEST_IDLE
            && self.say(&mut line, Step::Noop, Noop).await.is_ok()
        {
            return Ok(line);
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Fault> {
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
        let mut line = self.within(Step::Connect, connecting).await?;

        if let Security::Starttls(parameters) = &self.security {
            if !line.server_info().supports_feature(Extension::StartTls) {
                return Err(Fault::new(Step::Starttls, Cause::NotOffered));
            }
            self.within(
                Step::Starttls,
                line.starttls(parameters.clone(), &self.hello),
            )
            .await?;
        }
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            if line.server_info().get_auth_mechanism(&mechanisms).is_none() {
                return Err(Fault::new(Step::Auth, Cause::NotOffered));
            }
            let answer = self
                .within(Step::Auth, line.auth(&mechanisms, credentials))
                .await?;
            expect(Step::Auth, &answer)?;
        }
        Ok(line)
    }

    async fn respond_with_session(
        &self,
        line: &mut AsyncSmtpConnection,
        letter: &Email,
    ) -> Result<(), Fault> {
        let (from, to) = (
            letter.message.envelope().from(),
            letter.message.envelope().to(),
        );
        let mut parameters = Vec::new();
        if !from
            .into_iter()
            .chain(to)
            .all(|address| address.to_string().is_ascii())
        {
            if !line.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Fault::new(Step::Recipient, Cause::NotOffered));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }

        self.say(line, Step::Sender, Mail::new(from.cloned(), parameters))
            .await?;
        for recipient in to {
            self.say(
                line,
                Step::Recipient,
                Rcpt::new(recipient.clone(), Vec::new()),
            )
            .await?;
        }
        self.say(line, Step::Data, Data).await?;
        let mail = letter.message.formatted();
        let answer = self.within(Step::Content, line.message(&mail)).await?;
        expect(Step::Content, &answer)
    }

    async fn say(
        &self,
        line: &mut AsyncSmtpConnection,
        step: Step,
        command: impl fmt::Display,
    ) -> Result<(), Fault> {
        let answer = self.within(step, line.command(command)).await?;
        expect(step, &answer)
    }

    /// Twice the time of a command for what is more than one: looking up, connecting and shaking hands; and
    /// taking a mail in, which servers look through before they answer.
    async fn within<T>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, smtp::Error>>,
    ) -> Result<T, Fault> {
        let patience = match step {
            Step::Connect | Step::Starttls | Step::Content => self.timeout * 2,
            _ => self.timeout,
        };
        match timeout(patience, work).await {
            Ok(done) => done.map_err(|error| Fault::new(step, Cause::of(&error))),
            Err(_) => Err(Fault::new(step, Cause::TimedOut)),
        }
    }

    /// A server that answers each command just in time could still hold a mail for long.
    async fn before_the_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let deadline = LONGEST_SEND.min(self.timeout * 3);
        match timeout(deadline, work).await {
            Ok(done) => done,
            Err(_) => Err(Fault::new(Step::Whole, Cause::TimedOut)),
        }
    }

    fn keep(&self, line: AsyncSmtpConnection) {
        let since = Instant::now();
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Kept { line, since });
    }

    fn take_kept(&self) -> Option<Kept> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    /// Says `QUIT` and closes, without anybody waiting for it.
    fn goodbye(&self, mut line: AsyncSmtpConnection) {
        let patience = self.timeout;
        tokio::spawn(async move { timeout(patience, line.abort()).await });
    }
}

/// Exact answers where there is one: whoever slips an answer in ahead of TLS shifts all that follow, and must not
/// make a mail look accepted.
fn expect(step: Step, answer: &Response) -> Result<(), Fault> {
    let code = u16::from(answer.code());
    let expected = match step {
        Step::Auth => code == 235,
        Step::Data => code == 354,
        _ => (200..300).contains(&code),
    };
    match expected {
        true => Ok(()),
        false => Err(Fault::new(step, Cause::Unreadable)),
    }
}

/// The machine's certificate authorities and, if there is one, the file's. Chain, dates and name are checked.
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
        // Lettre takes a file without a certificate for one with none to add.
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

/// The sender's domain, or the machine's name where that cannot stand in `EHLO`.
fn hello(domain: &str) -> ClientId {
    match domain.is_ascii()
        && domain.contains(|c: char| c.is_ascii_alphabetic())
        && !domain.starts_with('[')
    {
        true => ClientId::Domain(domain.to_owned()),
        false => ClientId::default(),
    }
}
