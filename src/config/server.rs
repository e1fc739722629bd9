//! `[server]`, `[database]` and `[secrets]`.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::{IpNet, Ipv6Net};
use url::{Host, Url};

use super::declare::section;
use super::problems::{HOUR, MILLISECOND, MINUTE, Problems, SECOND, is_host};
use super::values::{NOT_ONE_LINE, duration, networks, secrets, unset, web};
use super::{Environment, Secret};

/// What an address to listen on must be.
pub(super) const HOST_AND_PORT: &str =
    r#"must be host:port, such as "127.0.0.1:3000" or "[::1]:3000""#;

section! {
    /// Listening, addresses and time limits.
    Server {
        /// Listen address, `host:port`. Loopback, because a reverse proxy with TLS belongs in front; port 0 picks a free
        /// port.
        bind: String = "127.0.0.1:3000",
        /// Where clients reach this server. https enables HSTS. Required in production.
        #[serde(with = "web")]
        public_url: Url = "http://localhost:3000",
        /// Whether HSTS includes subdomains of `public_url`'s host. Turn it off if one of them is served without https.
        hsts_subdomains: bool = true,
        /// Where users reach the application: the base of the links in mails (`links`). Required in production.
        #[serde(with = "web")]
        frontend_url: Url = "http://localhost:3001",
        /// Networks (CIDR) or addresses whose `X-Forwarded-For` is trusted. Empty, because any client can send it. `Forwarded`
        /// is never read: a proxy that writes one of these headers passes on the other as the client sent it.
        #[serde(with = "networks")]
        trusted_proxies: Vec<IpNet> = [],
        /// Threads that handle requests; 0 is one per core.
        workers: usize = 0 in 0..=1_024,
        /// Open connections. Approximate: divided among the workers and rounded up; more wait in the system's queue. Each
        /// one costs memory and a descriptor.
        max_connections: usize = 4096 in 1..=1_000_000,
        /// How long a client may take to send the head of a request, because slow clients hold a connection. Later
        /// requests on the same connection have `keep_alive` in addition.
        #[serde(with = "duration")]
        head_timeout: Duration = "5s" in SECOND..=HOUR,
        /// How long a client may take to send the body, which is 64 KiB at most.
        #[serde(with = "duration")]
        body_timeout: Duration = "30s" in SECOND..=HOUR,
        /// How long an idle connection is kept for the next request.
        #[serde(with = "duration")]
        keep_alive: Duration = "15s" in MILLISECOND..=HOUR,
        /// How long requests in flight may take to finish after SIGTERM, SIGINT or SIGHUP.
        #[serde(with = "duration")]
        shutdown_timeout: Duration = "10s" in SECOND..=HOUR,
    }
}

impl Server {
    /// The threads that handle requests: as configured, or one per core.
    pub fn worker_threads(&self) -> usize {
        or_one_per_core(self.workers)
    }

    /// Whether clients reach it by plain http, where browsers drop cookies that require https. Production allows this on
    /// this machine only.
    pub fn is_plain(&self) -> bool {
        self.public_url.scheme() == "http"
    }

    /// Whether session cookies cross a network in clear text.
    pub fn exposes_cookies(&self) -> bool {
        self.is_plain() && !is_this_machine(&self.public_url)
    }

    pub(super) fn check(&self, env: Environment, problems: &mut Problems) {
        if !is_host_and_port(&self.bind) {
            problems.refuse("server.bind", HOST_AND_PORT);
        }
        check_url("server.public_url", &self.public_url, env, problems);
        check_url("server.frontend_url", &self.frontend_url, env, problems);
        for network in &self.trusted_proxies {
            if env == Environment::Production && is_of_strangers(network) {
                problems.refuse(
                    "server.trusted_proxies",
                    format!(
                        "must not contain {network} in production, or any client there could choose its address; name \
                         the proxies' networks"
                    ),
                );
            }
        }
    }
}

/// Whether a network is larger than any that an operator of proxies has: the largest private one is 10.0.0.0/8, and
/// registries assign nothing wider.
fn is_of_strangers(network: &IpNet) -> bool {
    let unique_local = IpNet::V6(Ipv6Net::new_assert(
        Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0),
        7,
    ));
    let mapped = IpNet::V6(Ipv6Net::new_assert(
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0),
        96,
    ));
    match network {
        IpNet::V4(network) => network.prefix_len() < 8,
        IpNet::V6(_) if mapped.contains(network) => network.prefix_len() < 96 + 8,
        IpNet::V6(_) => network.prefix_len() < 16 && !unique_local.contains(network),
    }
}

section! {
    /// The SQLite file, or a PostgreSQL server.
    Database {
        /// The SQLite file, readable only by its owner. If absent it is created with its directory, in production only by
        /// `cloakroom migrate`.
        path: PathBuf = "storage/cloakroom.db",
        /// PostgreSQL instead of the file: `postgres://user:password@host:port/name?sslmode=verify-full`. Then `path`,
        /// `readers` and `cache` have no effect. TLS is verified, except on this machine, unless `sslmode=disable`. "" is
        /// unset.
        #[serde(with = "unset")]
        url: Option<Secret> = "",
        /// Connections to PostgreSQL; 0 is two per worker, at least four. Each process has one more for revocations, and one
        /// more per worker for look-ups.
        connections: u32 = 0 in 0..=1_024,
        /// Whether statements are prepared by name, which is faster. Turn it off for a pooler that does not support it,
        /// such as PgBouncer before 1.21 with transactions.
        prepare: bool = true,
        /// Whether to start on a server that speaks PostgreSQL's protocol and is another program, which is not tested.
        allow_untested: bool = false,
        /// Connections for reads; 0 is one per worker and one for background tasks.
        readers: u32 = 0 in 0..=1_024,
        /// Memory for pages of the file, in MiB, divided among the connections for reads, one per worker; further ones have
        /// 2 MiB each. 0 is a sixteenth of the file's size at the start, at least 16 and at most 48. It is taken as pages are
        /// read: never more than the file's size for each connection.
        cache: u32 = 0 in 0..=1_048_576,
        /// How long to wait for another process that holds the file, or the row in PostgreSQL, before returning 503.
        #[serde(with = "duration")]
        busy_timeout: Duration = "5s" in MILLISECOND..=MINUTE,
    }
}

impl Database {
    /// Connections for reads: as configured, or one for each worker and one for maintenance.
    pub fn reader_count(&self, workers: usize) -> u32 {
        match self.readers {
            0 => u32::try_from(workers).unwrap_or(u32::MAX).saturating_add(1),
            configured => configured,
        }
    }

    /// Connections to PostgreSQL: as configured, or two for each worker.
    pub fn connection_count(&self, workers: usize) -> u32 {
        match self.connections {
            0 => u32::try_from(workers)
                .unwrap_or(u32::MAX)
                .saturating_mul(2)
                .clamp(4, 1024),
            configured => configured,
        }
    }

    /// The page cache of a connection for reads of one of so many workers, in KiB, for a file of so many bytes.
    pub fn cache_of_reader(&self, workers: usize, file: u64) -> u32 {
        let sharing = u32::try_from(workers).unwrap_or(u32::MAX);
        let sharing = sharing.min(self.reader_count(workers)).max(1);
        let mebibytes = match self.cache {
            // The upper pages of the indices, which every look-up reads, are less than a hundredth of the file.
            0 => u32::try_from(file >> 24).unwrap_or(u32::MAX).clamp(16, 48),
            configured => configured,
        };
        mebibytes * 1024 / sharing
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        if let Some(url) = &self.url {
            let is_known = |scheme| url.expose().starts_with(scheme);
            if !["postgres://", "postgresql://"].into_iter().any(is_known) {
                problems.refuse(
                    "database.url",
                    "must begin with postgres://; the SQLite file is database.path",
                );
            }
            if url.expose().contains(char::is_control) {
                problems.refuse("database.url", NOT_ONE_LINE);
            }
        }
        if self.path.as_os_str().is_empty() {
            problems.refuse(
                "database.path",
                r#"must name a file, such as "storage/cloakroom.db""#,
            );
        }
        // SQLite reads such a name as a URI in places, and as a file elsewhere.
        let is_url = |text: &str| text.starts_with("file:") || text.contains("://");
        if self.path.to_str().is_some_and(is_url) {
            problems.refuse(
                "database.path",
                r#"must be a path such as "storage/cloakroom.db", not a URL"#,
            );
        }
        if self
            .path
            .extension()
            .is_some_and(|ending| ending == "key_base")
        {
            problems.refuse(
                "database.path",
                r#"must not end in ".key_base", the name of the secret beside the database"#,
            );
        }
        if self.path.as_os_str() == ":memory:" {
            problems.refuse(
                "database.path",
                "must be a file: each connection would have its own database in memory",
            );
        }
    }
}

section! {
    /// The root of every signing key.
    Secrets {
        /// Every signing key is derived from it; at least 32 bytes. `cloakroom secret` prints one. "" is unset: in
        /// development the first start generates one next to the database; in production the server does not start.
        #[serde(with = "unset")]
        key_base: Option<Secret> = "",
        /// Earlier values of `key_base`, newest first: what they signed stays valid until it expires.
        #[serde(with = "secrets")]
        previous: Vec<Secret> = [],
    }
}

impl Secrets {
    /// The fewest bytes of a key base: 256 bits, the strength of the keys derived from it.
    pub const MIN_BYTES: usize = 32;

    pub(super) fn check(&self, env: Environment, problems: &mut Problems) {
        let least = Self::MIN_BYTES;
        let too_short = |secret: &Secret| secret.expose().len() < least;
        match &self.key_base {
            None if env == Environment::Production => problems.refuse(
                "secrets.key_base",
                "must be given in production; `cloakroom secret` prints a new one",
            ),
            Some(secret) if too_short(secret) => problems.refuse(
                "secrets.key_base",
                format!("must have at least {least} bytes; `cloakroom secret` prints a new one"),
            ),
            _ => {}
        }
        let has_control = |secret: &Secret| secret.expose().contains(char::is_control);
        if self.key_base.as_ref().is_some_and(has_control) {
            problems.refuse("secrets.key_base", NOT_ONE_LINE);
        }
        if self.previous.iter().any(has_control) {
            problems.refuse("secrets.previous", NOT_ONE_LINE);
        }
        let is_weak =
            |secret: &&Secret| env == Environment::Production && is_guessable(secret.expose());
        if self.key_base.as_ref().filter(is_weak).is_some() {
            problems.refuse(
                "secrets.key_base",
                "must be random in production; `cloakroom secret` prints a new one",
            );
        }
        if self.previous.iter().any(too_short) {
            problems.refuse(
                "secrets.previous",
                format!("must contain secrets of at least {least} bytes each"),
            );
        }
    }
}

/// Whether a secret is made of few characters or repeats its beginning. 32 random hexadecimal digits have fewer than
/// 8 different ones in one case of 27 million.
fn is_guessable(secret: &str) -> bool {
    let bytes = secret.as_bytes();
    let different: BTreeSet<&u8> = bytes.iter().collect();
    let repeats = |period: usize| bytes.iter().zip(&bytes[period..]).all(|(a, b)| a == b);
    different.len() < 8 || (1..=bytes.len() / 2).any(repeats)
}

/// As configured, where 0 is one per core.
pub(super) fn or_one_per_core(configured: usize) -> usize {
    match configured {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        configured => configured,
    }
}

fn check_url(key: &str, url: &Url, env: Environment, problems: &mut Problems) {
    if !matches!(url.scheme(), "http" | "https") {
        problems.refuse(key, "must begin with https:// or http://");
    } else if env == Environment::Production && url.scheme() == "http" && !is_this_machine(url) {
        problems.refuse(
            key,
            "must begin with https:// in production; http:// only does for localhost",
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        problems.refuse(key, "must not contain a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        problems.refuse(key, "must end before any ? or #");
    }
}

pub(super) fn is_host_and_port(bind: &str) -> bool {
    bind.rsplit_once(':').is_some_and(|(host, port)| {
        let bracketed = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let is_valid_host = match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => !host.contains(':') && is_host(host),
        };
        // `parse` alone would take "+80".
        is_valid_host
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    })
}

pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        // RFC 6761, 6.3: names below it, too.
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
