//! HTTP requests to other servers. They block, so they run on threads of their own: a server that hangs holds none of the
//! workers that answer clients. Connections and certificates are shared; threads and the calls that wait are not.
//!
//! # Threats
//! - a server that hangs: each call has a deadline, and callers beyond the queue are refused at once. What uses this has a
//!   [`Queue`] of its own, so that one server does not hold up what asks another; a [`Breaker`] spares those that hang
//! - a name server that hangs: look-ups cannot be given up, so a few at most are under way for each name
//! - an endless reply: at most 1 MiB is read
//! - requests into the internal network (SSRF): private and other special addresses are refused, unless the settings
//!   list them and name the host; the connection goes to the address that was checked, so a second DNS answer changes
//!   nothing
//! - redirects to such addresses: redirects are not followed
//! - replies changed on the way: https only, except for the networks that the settings list

mod addresses;
mod breaker;

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{fmt, thread};

use ipnet::IpNet;
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

use self::addresses::{CheckedResolver, LookUps};
pub use self::addresses::{Reach, check};
pub use self::breaker::Breaker;
use crate::config;
use crate::crypto;
use crate::metrics::Counters;

/// Calls of one queue at once.
const THREADS: usize = 4;
/// Calls that may wait for a thread.
const QUEUE: usize = 32;
/// The most that is read of a reply, in bytes.
const LONGEST_REPLY: u64 = 1 << 20;

/// The client for all outbound requests. The certificates of the system are read at the first one.
#[derive(Clone)]
pub struct Outbound(Arc<Shared>);

struct Shared {
    private_networks: Vec<IpNet>,
    tls: OnceLock<TlsConfig>,
    look_ups: LookUps,
    public: OnceLock<Agent>,
    listed: OnceLock<Agent>,
}

/// The calls of one user of the client, such as a provider. A thread runs while calls wait.
pub struct Queue {
    outbound: Outbound,
    calls: Arc<Mutex<Calls>>,
    outcomes: Arc<Counters>,
}

/// How calls end.
const OUTCOMES: [&str; 5] = ["replied", "failed_reply", "timed_out", "failed", "refused"];

#[derive(Default)]
struct Calls {
    waiting: VecDeque<Call>,
    threads: usize,
}

/// A request: `POST` with a form, or `GET` without one.
pub struct Request {
    /// Where to.
    pub url: Url,
    /// Which networks it may reach.
    pub reach: Reach,
    /// Headers besides those of every request.
    pub headers: Vec<(&'static str, String)>,
    /// The fields of the form.
    pub form: Option<Vec<(&'static str, String)>>,
    /// How long it may take, with the wait for a thread.
    pub deadline: Duration,
    /// Is called with whether the server answered once it was asked, also if the caller gave up meanwhile.
    pub note: Option<Note>,
}

/// See [`Request::note`].
pub type Note = Box<dyn FnOnce(bool) + Send>;

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
    /// A client with these settings.
    pub fn new(settings: &config::Outbound) -> Self {
        Self(Arc::new(Shared {
            private_networks: settings.private_networks.clone(),
            tls: OnceLock::new(),
            look_ups: LookUps::default(),
            public: OnceLock::new(),
            listed: OnceLock::new(),
        }))
    }

    /// A queue for the calls of one user of the client.
    pub fn queue(&self) -> Queue {
        Queue {
            outbound: self.clone(),
            calls: Arc::default(),
            outcomes: Arc::new(Counters::new(OUTCOMES)),
        }
    }

    fn agent(&self, reach: Reach) -> &Agent {
        let shared = &self.0;
        let (agent, networks) = match reach {
            Reach::Public => (&shared.public, &[][..]),
            Reach::Listed => (&shared.listed, &*shared.private_networks),
        };
        agent.get_or_init(|| {
            let tls = shared.tls.get_or_init(tls).clone();
            let resolver = CheckedResolver::new(networks.to_vec(), shared.look_ups.clone());
            Agent::with_parts(config(tls), DefaultConnector::default(), resolver)
        })
    }
}

impl Queue {
    /// The body of a successful reply to `GET url`, within `deadline`, which includes the wait for a thread. The URL is of
    /// the settings.
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
            reach: Reach::Listed,
            headers: vec![(name, value.to_owned())],
            form: None,
            deadline,
            note: None,
        };
        match self.send(request).await? {
            Reply {
                status: 200, body, ..
            } => Ok(body),
            Reply { status, .. } => Err(OutboundError::Status(status)),
        }
    }

    /// How calls ended, since the start.
    pub fn outcomes(&self) -> Arc<Counters> {
        Arc::clone(&self.outcomes)
    }

    /// The reply to a request, whatever its status.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn send(&self, request: Request) -> Result<Reply, OutboundError> {
        let outcome = self.ask(request).await;
        self.outcomes.increment(match &outcome {
            Ok(reply) if reply.status >= 500 || reply.status == 429 => "failed_reply",
            Ok(_) => "replied",
            Err(OutboundError::TimedOut) => "timed_out",
            Err(OutboundError::Busy) => "refused",
            Err(_) => "failed",
        });
        outcome
    }

    async fn ask(&self, request: Request) -> Result<Reply, OutboundError> {
        let (reply, answer) = oneshot::channel();
        let deadline = request.deadline;
        self.add(Call { request, reply })?;
        match timeout(deadline, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(OutboundError::Failed("the call was dropped".into())),
            Err(_) => Err(OutboundError::TimedOut),
        }
    }

    fn add(&self, call: Call) -> Result<(), OutboundError> {
        let mut calls = self.calls.lock();
        if calls.waiting.len() >= QUEUE {
            return Err(OutboundError::Busy);
        }
        calls.waiting.push_back(call);
        if calls.threads == THREADS {
            return Ok(());
        }
        let (outbound, shared) = (self.outbound.clone(), Arc::clone(&self.calls));
        let thread = thread::Builder::new().name("outbound".into());
        match thread.spawn(move || work(&outbound, &shared)) {
            Ok(_) => calls.threads += 1,
            // Those that run take it.
            Err(_) if calls.threads > 0 => {}
            Err(error) => {
                calls.waiting.clear();
                return Err(OutboundError::Failed(error.to_string()));
            }
        }
        Ok(())
    }
}

/// Counts a thread that panics as ended.
struct Running<'a>(&'a Mutex<Calls>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().threads -= 1;
        }
    }
}

fn work(outbound: &Outbound, calls: &Mutex<Calls>) {
    let _running = Running(calls);
    while let Some(call) = next(calls) {
        // Its caller gave up while it waited.
        if call.reply.is_closed() {
            continue;
        }
        let request = call.request;
        let agent = outbound.agent(request.reach);
        let outcome = perform(agent, &request).map_err(failure);
        if let Some(note) = request.note {
            note(outcome.is_ok());
        }
        let _ = call.reply.send(outcome);
    }
}

/// The next call; without one the thread ends, which is counted before another call can be added.
fn next(calls: &Mutex<Calls>) -> Option<Call> {
    let mut calls = calls.lock();
    let next = calls.waiting.pop_front();
    if next.is_none() {
        calls.threads -= 1;
    }
    next
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

fn tls() -> TlsConfig {
    // A certificate that cannot be read is one that no server can use; without any, each call fails and says so.
    let roots: Vec<_> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|root| Certificate::from_der(root).to_owned())
        .collect();
    TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(crypto::tls_provider()))
        .build()
}

fn config(tls: TlsConfig) -> Config {
    Config::builder()
        .tls_config(tls)
        .user_agent(concat!("cloakroom/", env!("CARGO_PKG_VERSION")))
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .build()
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
