//! HTTP requests to other servers. They block, so they run on a few threads of their own: a server that hangs holds none
//! of the workers that answer clients.
//!
//! # Threats
//! - a server that hangs: each call has a deadline, and callers beyond the queue are refused at once. What uses this has
//!   threads of its own, so that one server does not hold up what asks another; a [`Breaker`] spares those that hang
//! - a name server that hangs: look-ups cannot be given up, so a few at most are under way
//! - an endless reply: at most 1 MiB is read
//! - requests into the internal network (SSRF): private and other special addresses are refused, unless the settings
//!   list them; the connection goes to the address that was checked, so a second DNS answer changes nothing
//! - redirects to such addresses: redirects are not followed
//! - replies changed on the way: https only, except for the networks that the settings list

mod addresses;
mod breaker;

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::time::Duration;
use std::{fmt, thread};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Response;
use ureq::http::header::CONTENT_TYPE;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use url::Url;

use self::addresses::CheckedResolver;
pub use self::addresses::check;
pub use self::breaker::Breaker;
use crate::config;
use crate::crypto;
use crate::domain::error::{Error, Result};

/// Calls at once.
const THREADS: usize = 4;
/// Calls that may wait for a thread.
const QUEUE: usize = 32;
/// The most that is read of a reply, in bytes.
const LONGEST_REPLY: u64 = 1 << 20;

/// The client for all outbound requests.
pub struct Outbound {
    calls: SyncSender<Call>,
}

/// A request: `POST` with a form, or `GET` without one.
pub struct Request {
    /// Where to.
    pub url: Url,
    /// Headers besides those of every request.
    pub headers: Vec<(&'static str, String)>,
    /// The fields of the form.
    pub form: Option<Vec<(&'static str, String)>>,
    /// How long it may take, with the wait for a thread.
    pub deadline: Duration,
}

/// A reply of any status.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The media type without parameters, in lower case; empty if the reply states none.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
}

struct Call {
    request: Request,
    reply: oneshot::Sender<Result<Reply, OutboundError>>,
}

/// Why there is no reply.
#[derive(Debug)]
pub enum OutboundError {
    /// As many calls wait as may.
    Busy,
    /// The deadline passed.
    TimedOut,
    /// The other server answered with this status.
    Status(u16),
    /// It was not reached, or its reply could not be read.
    Failed(String),
}

impl Outbound {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`Error::Internal`] if the system has no thread left.
    pub fn start(settings: &config::Outbound) -> Result<Self> {
        let (calls, queue) = mpsc::sync_channel(QUEUE);
        let (queue, agent) = (Arc::new(Mutex::new(queue)), agent(settings));
        for number in 0..THREADS {
            let (queue, agent) = (Arc::clone(&queue), agent.clone());
            thread::Builder::new()
                .name(format!("outbound-{number}"))
                .spawn(move || work(&queue, &agent))
                .map_err(Error::internal)?;
        }
        Ok(Self { calls })
    }

    /// The body of a successful reply to `GET url`, within `deadline`, which includes the wait for a thread.
    ///
    /// # Errors
    /// Why there is none; any status but 200 is an error.
    pub async fn get(
        &self,
        url: Url,
        (name, value): (&'static str, &str),
        deadline: Duration,
    ) -> Result<Vec<u8>, OutboundError> {
        let request = Request {
            url,
            headers: vec![(name, value.to_owned())],
            form: None,
            deadline,
        };
        match self.send(request).await? {
            Reply {
                status: 200, body, ..
            } => Ok(body),
            Reply { status, .. } => Err(OutboundError::Status(status)),
        }
    }

    /// The reply to a request, whatever its status.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn send(&self, request: Request) -> Result<Reply, OutboundError> {
        let (reply, answer) = oneshot::channel();
        let deadline = request.deadline;
        let call = Call { request, reply };
        self.calls.try_send(call).map_err(|refused| match refused {
            TrySendError::Full(_) => OutboundError::Busy,
            TrySendError::Disconnected(_) => OutboundError::Failed("no thread is left".into()),
        })?;
        match timeout(deadline, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(OutboundError::Failed("the call was dropped".into())),
            Err(_) => Err(OutboundError::TimedOut),
        }
    }
}

fn work(queue: &Mutex<Receiver<Call>>, agent: &Agent) {
    loop {
        let Ok(call) = queue.lock().recv() else {
            return;
        };
        // Its caller gave up while it waited.
        if call.reply.is_closed() {
            continue;
        }
        let outcome = perform(agent, &call.request).map_err(failure);
        let _ = call.reply.send(outcome);
    }
}

fn perform(agent: &Agent, request: &Request) -> Result<Reply, ureq::Error> {
    let (url, deadline) = (request.url.as_str(), Some(request.deadline));
    let headers = request.headers.iter();
    let reply = match &request.form {
        None => {
            let builder = headers.fold(agent.get(url), |it, (name, value)| it.header(*name, value));
            let builder = builder.config().timeout_global(deadline).build();
            builder.call()?
        }
        Some(fields) => {
            let builder =
                headers.fold(agent.post(url), |it, (name, value)| it.header(*name, value));
            let builder = builder.config().timeout_global(deadline).build();
            builder.send_form(fields.iter().map(|(name, value)| (*name, value.as_str())))?
        }
    };
    read(reply)
}

fn read(mut reply: Response<ureq::Body>) -> Result<Reply, ureq::Error> {
    let media_type = reply.headers().get(CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok()?.split(';').next());
    Ok(Reply {
        status: reply.status().as_u16(),
        media_type: media_type.unwrap_or_default().trim().to_ascii_lowercase(),
        body: reply
            .body_mut()
            .with_config()
            .limit(LONGEST_REPLY)
            .read_to_vec()?,
    })
}

fn failure(error: ureq::Error) -> OutboundError {
    match error {
        ureq::Error::Timeout(_) => OutboundError::TimedOut,
        other => OutboundError::Failed(other.to_string()),
    }
}

fn agent(settings: &config::Outbound) -> Agent {
    // A certificate that cannot be read is one that no server can use; without any, each call fails and says so.
    let roots: Vec<_> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|root| Certificate::from_der(root).to_owned())
        .collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(crypto::tls_provider()))
        .build();
    let config = Config::builder()
        .tls_config(tls)
        .user_agent(concat!("cloakroom/", env!("CARGO_PKG_VERSION")))
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .build();
    let resolver = CheckedResolver::new(settings.private_networks.clone());
    Agent::with_parts(config, DefaultConnector::default(), resolver)
}

impl fmt::Display for OutboundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("too many outbound calls are waiting"),
            Self::TimedOut => f.write_str("no reply in time"),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for OutboundError {}
