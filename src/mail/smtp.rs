//! Sends mail through a mail server: one dialogue per mail, on a connection that is kept while mails follow each other.
//! The dialogue is ours for the reasons in `docs/decisions/0038-the-smtp-dialogue-is-ours.md`.
//!
//! # Threats
//! - a late reply taken for the reply to another command: a connection is kept only after it accepted a mail
//! - replies injected before TLS (STARTTLS injection): bytes ahead of the handshake end the connection, and `AUTH` and
//!   `DATA` require their exact reply codes
//! - a server that answers each command just in time: the whole delivery has a deadline too

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout};

use self::connection::{Connection, Credentials, is_positive};
use self::tls::Tls;
use super::message::Email;
use super::send_error::{Cause, SendError, SmtpError, Step};
use crate::config::{self, Secret, SmtpTls};
use crate::domain::error::Result;

mod connection;
mod reply;
mod tls;

/// The longest attempt to send, whatever the settings and the mail server do.
pub const LONGEST_SEND: Duration = Duration::from_secs(60);

/// Most servers close an idle connection after minutes, some networks drop it sooner.
const LONGEST_IDLE: Duration = Duration::from_secs(30);

/// A mail server and how to reach it.
pub struct SmtpClient {
    host: String,
    port: u16,
    /// The name for `EHLO`: the sender's domain.
    hello: String,
    security: Security,
    credentials: Option<Credentials>,
    timeout: Duration,
    idle: Mutex<Vec<IdleConnection>>,
}

enum Security {
    Implicit(Tls),
    Starttls(Tls),
    Clear,
}

struct IdleConnection {
    connection: Connection,
    since: Instant,
}

impl SmtpClient {
    pub(super) fn from_settings(mail: &config::Mail) -> Result<Self> {
        let smtp = &mail.smtp;
        let tls = || Tls::new(&smtp.host, smtp.ca_file.as_deref());
        let security = match smtp.tls {
            SmtpTls::Required => Security::Implicit(tls()?),
            SmtpTls::Starttls => Security::Starttls(tls()?),
            SmtpTls::None => Security::Clear,
        };
        let credentials = smtp.username.clone().map(|username| Credentials {
            username,
            password: smtp
                .password
                .clone()
                .unwrap_or_else(|| Secret::from(String::new())),
        });
        Ok(Self {
            host: smtp.host.clone(),
            port: smtp.port(),
            hello: mail.from.domain().to_owned(),
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
            self.command(&mut connection, Step::Noop, "NOOP").await?;
            self.quit(connection);
            Ok(())
        });
        tried.await.map_err(|fault| {
            let (host, port, advice) = (&self.host, self.port, fault.advice());
            format!("the mail server {host}:{port} cannot be used ({fault}): {advice}")
        })
    }

    pub(super) async fn close_idle(&self) {
        while let Some(IdleConnection { connection, .. }) = self.take_idle() {
            // The connection is closed whatever the server replies.
            let _ = timeout(self.timeout, connection.quit()).await;
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
    async fn connection(&self) -> Result<Connection, SmtpError> {
        if let Some(IdleConnection {
            mut connection,
            since,
        }) = self.take_idle()
            && since.elapsed() < LONGEST_IDLE
            && self
                .command(&mut connection, Step::Noop, "NOOP")
                .await
                .is_ok()
        {
            return Ok(connection);
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<Connection, SmtpError> {
        let name = self.hello.as_str();
        let implicit = match &self.security {
            Security::Implicit(tls) => Some(tls),
            Security::Starttls(_) | Security::Clear => None,
        };
        let connecting = async {
            let mut connection = Connection::open(&self.host, self.port, implicit).await?;
            connection.greet(name).await?;
            Ok(connection)
        };
        let mut connection = self.within(Step::Connect, connecting).await?;

        if let Security::Starttls(tls) = &self.security {
            if !connection.extensions().starttls {
                return Err(SmtpError::new(Step::Starttls, Cause::NotOffered));
            }
            connection = self
                .within(Step::Starttls, connection.start_tls(tls, name))
                .await?;
        }
        if let Some(credentials) = &self.credentials {
            let mechanism = connection.extensions().mechanism;
            let mechanism =
                mechanism.ok_or_else(|| SmtpError::new(Step::Auth, Cause::NotOffered))?;
            self.within(Step::Auth, connection.authenticate(mechanism, credentials))
                .await?;
        }
        Ok(connection)
    }

    async fn transmit(&self, connection: &mut Connection, email: &Email) -> Result<(), SmtpError> {
        let envelope = email.message.envelope();
        let from = envelope.from().map_or("", AsRef::as_ref);
        self.command(connection, Step::Sender, &format!("MAIL FROM:<{from}>"))
            .await?;
        for to in envelope.to() {
            self.command(connection, Step::Recipient, &format!("RCPT TO:<{to}>"))
                .await?;
        }
        let data = connection.command("DATA", |code| code == 354);
        self.within(Step::Data, data).await?;
        let mail = email.message.formatted();
        self.within(Step::Content, connection.message(&mail))
            .await
            .map(drop)
    }

    async fn command(
        &self,
        connection: &mut Connection,
        step: Step,
        command: &str,
    ) -> Result<(), SmtpError> {
        self.within(step, connection.command(command, is_positive))
            .await
            .map(drop)
    }

    /// Runs one step within its time: twice that of a command for connecting with its look-ups and handshakes, and for
    /// the message, which servers scan before they reply.
    async fn within<T>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, SmtpError> {
        let patience = match step {
            Step::Connect | Step::Starttls | Step::Content => self.timeout * 2,
            _ => self.timeout,
        };
        match timeout(patience, work).await {
            Ok(done) => done.map_err(|cause| SmtpError::new(step, cause)),
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

    fn keep(&self, connection: Connection) {
        let since = Instant::now();
        self.idle.lock().push(IdleConnection { connection, since });
    }

    fn take_idle(&self) -> Option<IdleConnection> {
        self.idle.lock().pop()
    }

    /// Sends `QUIT` and closes, in the background.
    fn quit(&self, connection: Connection) {
        let patience = self.timeout;
        tokio::spawn(async move { timeout(patience, connection.quit()).await });
    }
}
