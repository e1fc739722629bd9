//! Which addresses outbound requests may reach: names are resolved here, and what is not public is refused.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ipnet::{IpNet, Ipv6Net};
use parking_lot::Mutex;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use url::{Host, Url};

use crate::config;

/// Look-ups of a name at once. Each has a thread until the system's resolver gives up, which takes longer than a call.
const LOOK_UPS: usize = 8;
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

/// Which networks a call may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The public internet, over https: for hosts that others name.
    Public,
    /// Also the networks that the settings list: for hosts that the settings name.
    Listed,
}

/// Whether a call to this URL can succeed, as far as can be said before its host is resolved.
///
/// # Errors
/// Why not, in words for the operator.
pub fn check(settings: &config::Outbound, reach: Reach, url: &Url) -> Result<(), String> {
    let networks = match reach {
        Reach::Public => &[][..],
        Reach::Listed => &*settings.private_networks,
    };
    let address = match url.host() {
        Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        Some(Host::Domain(_)) | None => None,
    };
    let listed = match address {
        Some(ip) => is_listed(networks, ip.to_canonical()),
        None => !networks.is_empty(),
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

/// The look-ups under way, by name: one that hangs takes none from another.
#[derive(Clone, Debug, Default)]
pub(super) struct LookUps(Arc<Mutex<HashMap<String, usize>>>);

/// A look-up under way, until it is dropped.
struct LookUp {
    all: LookUps,
    name: String,
}

impl LookUps {
    /// `None` while there are as many as may be.
    fn start(&self, name: &str) -> Option<LookUp> {
        let mut all = self.0.lock();
        let count = all.entry(name.to_owned()).or_default();
        if *count >= LOOK_UPS {
            return None;
        }
        *count += 1;
        Some(LookUp {
            all: self.clone(),
            name: name.to_owned(),
        })
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        let mut all = self.all.0.lock();
        if let Some(count) = all.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.name);
            }
        }
    }
}

/// Resolves names, and refuses addresses that are not public.
#[derive(Debug)]
pub(super) struct CheckedResolver {
    look_up: fn(&str) -> io::Result<Vec<SocketAddr>>,
    under_way: LookUps,
    allowed: Vec<IpNet>,
}

impl CheckedResolver {
    /// Refuses all addresses that are not public, but for these networks.
    pub(super) fn new(allowed: Vec<IpNet>, under_way: LookUps) -> Self {
        Self {
            look_up: |name| Ok(name.to_socket_addrs()?.collect()),
            under_way,
            allowed,
        }
    }

    /// The addresses of `host:port`. `None` if there is no answer in time, which leaves a thread behind.
    fn addresses(&self, name: &str, timeout: Duration) -> io::Result<Option<Vec<SocketAddr>>> {
        let this = self.under_way.start(name);
        let this = this.ok_or_else(|| io::Error::other("the name server does not answer"))?;
        let (found, answer) = mpsc::sync_channel(1);
        let look_up = self.look_up;
        let thread = thread::Builder::new().name("look-up".into());
        thread.spawn(move || {
            let addresses = look_up(&this.name);
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
        let found = self.addresses(&name, *timeout.after)?;
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
            super::check(&settings, Reach::Listed, &url.parse().unwrap())
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
        // A host that others name is public, whatever is listed.
        let settings = config::Outbound {
            private_networks: vec!["10.0.0.0/8".parse().unwrap()],
        };
        let of_others =
            |url: &str| super::check(&settings, Reach::Public, &url.parse().unwrap()).is_ok();
        assert!(of_others("https://id.example.com"));
        assert!(!of_others("https://10.0.0.1"));
        assert!(!of_others("http://list.internal"));
    }

    #[test]
    fn names_with_special_addresses_are_not_connected_to() {
        let resolves = |allowed: &[&str], url: &str| {
            let resolver = CheckedResolver {
                look_up: |name| {
                    let addresses: &[&str] = match name.split('.').next() {
                        Some("public") => &["1.1.1.1:1"],
                        Some("private") => &["10.0.0.7:1"],
                        Some("mapped") => &["[::ffff:10.0.0.7]:1"],
                        _ => &["1.1.1.1:1", "169.254.169.254:1"],
                    };
                    Ok(addresses.iter().map(|it| it.parse().unwrap()).collect())
                },
                under_way: LookUps::default(),
                allowed: allowed.iter().map(|it| it.parse().unwrap()).collect(),
            };
            let timeout = NextTimeout {
                after: Duration::from_secs(60).into(),
                ..NextTimeout::default()
            };
            let resolved = resolver.resolve(&url.parse().unwrap(), &Config::default(), timeout);
            resolved.is_ok()
        };
        let private = ["10.0.0.0/8"];
        for (allowed, url, is_reached) in [
            (&[][..], "https://public.example", true),
            (&[], "http://public.example", false),
            (&[], "https://private.example", false),
            (&[], "https://mapped.example", false),
            (&[], "https://both.example", false),
            (&private, "https://private.example", true),
            (&private, "http://mapped.example", true),
            (&private, "http://public.example", false),
            (&private, "https://both.example", false),
        ] {
            assert_eq!(resolves(allowed, url), is_reached, "{allowed:?} {url}");
        }
    }

    #[test]
    fn look_ups_that_hang_are_bounded() {
        let resolver = CheckedResolver {
            look_up: |name| {
                if name.starts_with("hangs") {
                    loop {
                        thread::park();
                    }
                }
                Ok(vec![([1, 1, 1, 1], 443).into()])
            },
            under_way: LookUps::default(),
            allowed: Vec::new(),
        };
        let ask = |name: &str, timeout| resolver.addresses(name, timeout);
        let long = Duration::from_secs(60);
        for _ in 0..LOOK_UPS {
            let answer = ask("hangs:443", Duration::from_millis(1));
            assert!(answer.unwrap().is_none());
        }
        assert!(ask("hangs:443", long).is_err());
        assert!(ask("hangs:443", long).is_err());
        // Those of other names go on, and answered ones free their place.
        for _ in 0..2 * LOOK_UPS {
            assert_eq!(ask("answers:443", long).unwrap().unwrap().len(), 1);
        }
        let names = resolver.under_way.0.lock();
        assert_eq!(names.keys().collect::<Vec<_>>(), ["hangs:443"]);
    }

    #[test]
    fn every_special_network_can_be_parsed() {
        for network in SPECIAL_NETWORKS {
            assert!(network.parse::<IpNet>().is_ok(), "{network}");
        }
    }
}
