//! HTTP requests to other servers. They block, so they run on a few threads of their own: a server that hangs holds none
//! of the workers that answer clients.
//!
//! # Threats
//! - a server that hangs: each call has a deadline, and callers beyond the queue are refused at once
//! - a name server that hangs: look-ups cannot be given up, so at most [`LOOK_UPS`] are under way
//! - an endless reply: at most 1 MiB is read
//! - requests into the internal network (SSRF): private and other special addresses are refused, unless the settings
//!   list them; the connection goes to the address that was checked, so a second DNS answer changes nothing
//! - redirects to such addresses: redirects are not followed
//! - replies changed on the way: https only, except for the networks that the settings list

use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::time::Duration;
use std::{fmt, io, thread};

use ipnet::{IpNet, Ipv6Net};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use url::{Host, Url};

use crate::config;
use crate::crypto;
use crate::domain::error::{Error, Result};

/// Calls at once.
const THREADS: usize = 4;
/// Calls that may wait for a thread.
const QUEUE: usize = 32;
/// Look-ups of names at once. Each has a thread until the system's resolver gives up, which takes longer than a call.
const LOOK_UPS: usize = 8;
/// The most that is read of a reply, in bytes.
const LONGEST_REPLY: u64 = 1 << 20;

/// The most addresses of a name that are tried; more than [`ResolvedSocketAddrs`] holds would be a panic.
const MOST_ADDRESSES: usize = 16;

/// Networks that are not on the public internet, or that lead into others (IANA's registries of special-purpose
/// addresses). Of IPv6 everything outside 2000::/3 is special too.
const SPECIAL_NETWORKS: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
];
/// The global unicast addresses of IPv6.
const GLOBAL_UNICAST: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The client for all outbound requests.
pub struct Outbound {
    calls: SyncSender<Call>,
}

struct Call {
    url: Url,
    header: (&'static str, &'static str),
    deadline: Duration,
    reply: oneshot::Sender<Result<Vec<u8>, OutboundError>>,
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
        header: (&'static str, &'static str),
        deadline: Duration,
    ) -> Result<Vec<u8>, OutboundError> {
        let (reply, answer) = oneshot::channel();
        let call = Call {
            url,
            header,
            deadline,
            reply,
        };
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
        let outcome = get(agent, &call);
        let _ = call.reply.send(outcome);
    }
}

fn get(agent: &Agent, call: &Call) -> Result<Vec<u8>, OutboundError> {
    let (name, value) = call.header;
    let request = agent
        .get(call.url.as_str())
        .header(name, value)
        .config()
        .timeout_global(Some(call.deadline))
        .build();
    let mut reply = request.call().map_err(failure)?;
    match reply.status().as_u16() {
        200 => reply
            .body_mut()
            .with_config()
            .limit(LONGEST_REPLY)
            .read_to_vec()
            .map_err(failure),
        status => Err(OutboundError::Status(status)),
    }
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
    let resolver = CheckedResolver {
        look_up: |name| Ok(name.to_socket_addrs()?.collect()),
        under_way: Arc::default(),
        allowed: settings.private_networks.clone(),
    };
    Agent::with_parts(config, DefaultConnector::default(), resolver)
}

/// Whether a call to this URL can succeed, as far as can be said before its host is resolved.
///
/// # Errors
/// Why not, in words for the operator.
pub fn check(settings: &config::Outbound, url: &Url) -> Result<(), String> {
    let address = match url.host() {
        Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        Some(Host::Domain(_)) | None => None,
    };
    let listed = match address {
        Some(ip) => is_listed(&settings.private_networks, ip.to_canonical()),
        None => !settings.private_networks.is_empty(),
    };
    match address {
        _ if listed => Ok(()),
        _ if url.scheme() != "https" => Err(
            "must begin with https://: http only reaches networks that outbound.private_networks lists".to_owned(),
        ),
        Some(ip) if is_special(ip.to_canonical()) => Err(not_public(ip)),
        _ => Ok(()),
    }
}

fn is_listed(networks: &[IpNet], ip: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&ip))
}

fn not_public(ip: IpAddr) -> String {
    format!("{ip} is not a public address: list its network in outbound.private_networks")
}

/// Resolves names, and refuses addresses that are not public.
#[derive(Debug)]
struct CheckedResolver {
    look_up: fn(String) -> io::Result<Vec<SocketAddr>>,
    under_way: Arc<AtomicUsize>,
    allowed: Vec<IpNet>,
}

/// A look-up under way, until it is dropped.
struct LookUp(Arc<AtomicUsize>);

impl Drop for LookUp {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl CheckedResolver {
    /// The addresses of `host:port`. `None` if there is no answer in time, which leaves a thread behind.
    fn addresses(&self, name: String, timeout: Duration) -> io::Result<Option<Vec<SocketAddr>>> {
        let count = self.under_way.fetch_add(1, Ordering::Relaxed);
        let this = LookUp(Arc::clone(&self.under_way));
        if count >= LOOK_UPS {
            return Err(io::Error::other("the name server does not answer"));
        }
        let (found, answer) = mpsc::sync_channel(1);
        let look_up = self.look_up;
        let thread = thread::Builder::new().name("look-up".into());
        thread.spawn(move || {
            let addresses = look_up(name);
            drop(this);
            let _ = found.send(addresses);
        })?;
        answer.recv_timeout(timeout).ok().transpose()
    }
}

impl Resolver for CheckedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let name = uri.scheme().zip(uri.authority());
        let name = name.and_then(|(scheme, host)| DefaultResolver::host_and_port(scheme, host));
        let name = name.ok_or(ureq::Error::HostNotFound)?;
        let found = self.addresses(name, *timeout.after)?;
        let found = found.ok_or(ureq::Error::Timeout(timeout.reason))?;
        let mut addresses = self.empty();
        for address in found.iter().take(MOST_ADDRESSES) {
            addresses.push(*address);
        }
        if addresses.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        let encrypted = uri.scheme_str() == Some("https");
        for address in addresses.iter() {
            let ip = address.ip().to_canonical();
            let listed = is_listed(&self.allowed, ip);
            if !listed && is_special(ip) {
                return Err(ureq::Error::Other(not_public(ip).into()));
            }
            if !listed && !encrypted {
                // Without the path, which is not for the log.
                let host = uri.host().unwrap_or_default().to_owned();
                return Err(ureq::Error::RequireHttpsOnly(host));
            }
        }
        Ok(addresses)
    }
}

fn is_special(ip: IpAddr) -> bool {
    let outside = match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => !GLOBAL_UNICAST.contains(&ip),
    };
    outside
        || SPECIAL_NETWORKS
            .iter()
            .filter_map(|network| network.parse::<IpNet>().ok())
            .any(|network| network.contains(&ip))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_recognised() {
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
        ] {
            assert!(is_special(special.parse().unwrap()), "{special}");
        }
        for public in [
            "1.1.1.1",
            "172.32.0.1",
            "223.255.255.255",
            "2606:4700::1111",
        ] {
            assert!(!is_special(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_url_that_can_reach_nothing_is_refused() {
        let check = |networks: &[&str], url: &str| {
            let networks = networks.iter().map(|network| network.parse().unwrap());
            let settings = config::Outbound {
                private_networks: networks.collect(),
            };
            super::check(&settings, &url.parse().unwrap())
        };
        for url in ["https://api.example.com/range", "https://1.1.1.1"] {
            assert_eq!(check(&[], url), Ok(()), "{url}");
        }
        for url in [
            "http://api.example.com",
            "http://1.1.1.1",
            "https://10.0.0.1",
            "https://[::ffff:10.0.0.1]",
        ] {
            assert!(check(&[], url).is_err(), "{url}");
        }
        let private = ["10.0.0.0/8"];
        for url in [
            "http://10.0.0.1",
            "http://list.internal",
            "https://10.0.0.1",
        ] {
            assert_eq!(check(&private, url), Ok(()), "{url}");
        }
        assert!(check(&private, "http://192.168.0.1").is_err());
    }

    #[test]
    fn look_ups_that_hang_are_bounded() {
        let resolver = CheckedResolver {
            look_up: |name| {
                if name == "hangs:443" {
                    loop {
                        thread::park();
                    }
                }
                Ok(vec![([1, 1, 1, 1], 443).into()])
            },
            under_way: Arc::default(),
            allowed: Vec::new(),
        };
        let ask = |name: &str, timeout| resolver.addresses(name.to_owned(), timeout);
        let long = Duration::from_secs(60);
        for _ in 1..LOOK_UPS {
            let answer = ask("hangs:443", Duration::from_millis(1));
            assert!(answer.unwrap().is_none());
        }
        // Answered ones free their place.
        for _ in 0..3 {
            assert_eq!(ask("answers:443", long).unwrap().unwrap().len(), 1);
        }
        ask("hangs:443", Duration::from_millis(1)).unwrap();
        assert!(ask("answers:443", long).is_err());
        assert!(ask("answers:443", long).is_err());
    }

    #[test]
    fn every_special_network_can_be_parsed() {
        for network in SPECIAL_NETWORKS {
            assert!(network.parse::<IpNet>().is_ok(), "{network}");
        }
    }
}
