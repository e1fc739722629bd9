//! A connection that the thread which uses it drives, with a limit for each answer.
//!
//! # Threats
//! - a server that does not answer although its machine does, such as one whose disk hangs: TCP notices nothing, and the
//!   server's own time limits do not apply, so the limit here ends the statement and the session

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::target::Target;

type TlsStream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// How long a test of a connection may take.
const TEST_LIMIT: Duration = Duration::from_secs(3);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server refuses, or the connection failed.
    Client(tokio_postgres::Error),
    /// None came in time.
    Silence,
    /// The thread cannot wait for one.
    Runtime(std::io::Error),
}

/// One connection.
pub(super) struct Client {
    runtime: Runtime,
    client: tokio_postgres::Client,
    connection: Connection<Socket, TlsStream>,
    limit: Option<Duration>,
}

impl Client {
    /// Connects to the first host that accepts writes.
    pub fn connect(target: &Target, limit: Duration) -> Result<Self, Fault> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Fault::Runtime)?;
        let (client, connection) = runtime.block_on(connect(target))?;
        Ok(Self {
            runtime,
            client,
            connection,
            limit: Some(limit),
        })
    }

    /// From now on, statements may take as long as they need.
    pub fn lift_limit(&mut self) {
        self.limit = None;
    }

    /// Asks and waits for the answer.
    pub fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Fault> {
        self.ask_within(self.limit, question)
    }

    /// Whether the server answers.
    pub fn is_alive(&mut self) -> bool {
        let test = async |client: &tokio_postgres::Client| client.check_connection().await;
        self.ask_within(Some(TEST_LIMIT), test).is_ok()
    }

    fn ask_within<T>(
        &mut self,
        limit: Option<Duration>,
        question: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Fault> {
        let (client, connection) = (&self.client, &mut self.connection);
        self.runtime.block_on(async {
            let mut answer = pin!(question(client));
            let driven = poll_fn(|context| {
                // The connection moves while it is asked for messages. None of them belongs to the answer.
                while let Poll::Ready(Some(message)) = connection.poll_message(context) {
                    message?;
                }
                answer.as_mut().poll(context)
            });
            let outcome = match limit {
                Some(limit) => timeout(limit, driven).await.map_err(|_| Fault::Silence)?,
                None => driven.await,
            };
            outcome.map_err(Fault::Client)
        })
    }
}

/// Connects to the first host that accepts writes. The connection does nothing unless it is polled.
pub(super) async fn connect(
    target: &Target,
) -> Result<(tokio_postgres::Client, Connection<Socket, TlsStream>), Fault> {
    let mut failure = Fault::Silence;
    for host in &target.hosts {
        let connecting = host.connect(target.tls.clone());
        match timeout(target.connect_timeout, connecting).await {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(refusal)) => failure = Fault::Client(refusal),
            Err(_) => failure = Fault::Silence,
        }
    }
    Err(failure)
}

/// Whether the server answers.
pub(super) async fn is_alive(client: &tokio_postgres::Client) -> bool {
    let test = timeout(TEST_LIMIT, client.check_connection());
    test.await.is_ok_and(|answer| answer.is_ok())
}

impl Fault {
    /// What the server refuses.
    pub fn refusal(&self) -> Option<&DbError> {
        match self {
            Self::Client(failure) => failure.as_db_error(),
            Self::Silence | Self::Runtime(_) => None,
        }
    }

    pub fn code(&self) -> Option<&SqlState> {
        self.refusal().map(DbError::code)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(failure) => write!(f, "{failure}"),
            Self::Silence => f.write_str("the server does not answer"),
            Self::Runtime(failure) => write!(f, "cannot wait for the server: {failure}"),
        }
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Client(failure) => failure.source(),
            Self::Silence | Self::Runtime(_) => None,
        }
    }
}
