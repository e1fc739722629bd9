//! `[cors]`: pages of other origins.

use std::time::Duration;

use url::{Host, Url};

use super::declare::section;
use super::problems::{DAY, Problems, SECOND};
use super::values::duration;

const ANY: &str = "*";
/// What follows the scheme of a pattern.
const SUBDOMAINS: &str = "://*.";
/// Schemes whose addresses are not the origin of a page or app.
const NO_PAGES: &[&str] = &[
    "about",
    "blob",
    "data",
    "file",
    "ftp",
    "javascript",
    "ws",
    "wss",
];

section! {
    /// Browsers from other origins.
    Cors {
        /// Origins whose pages may call, exactly as browsers send them: of sites, and of apps
        /// (`"capacitor://localhost"`, `"tauri://localhost"`, `"chrome-extension://<id>"`). `"https://*.example.com"`
        /// lists every subdomain: list only domains whose subdomains are all yours. `["*"]` lists all origins, without
        /// credentials.
        origins: Vec<String> = ["http://localhost:3001", "http://127.0.0.1:3001"],
        /// Whether their pages may use the session cookie (`"transport": "cookie"`). For front ends on another port or
        /// subdomain of the same site: one on the API's own origin needs no setting, and one on another site cannot use
        /// the cookie. Bearer tokens do not need it.
        credentials: bool = false,
        /// Request headers that their pages may send, in addition to those of the API: for tracing, for instance.
        request_headers: Vec<String> = ["traceparent", "tracestate", "x-requested-with"],
        /// How long a browser may cache a preflight response; Chromium limits it to 2 hours.
        #[serde(with = "duration")]
        max_age: Duration = "2h" in SECOND..=DAY,
    }
}

impl Cors {
    /// Whether an origin is listed, itself or by its domain. `"*"` lists no origin in particular.
    pub fn lists(&self, origin: &str) -> bool {
        let listed = self.origins.iter().filter(|listed| *listed != ANY);
        listed.into_iter().any(|listed| {
            is_subdomain(origin, listed) || (listed == origin && !listed.contains(SUBDOMAINS))
        })
    }

    /// Whether every origin may call.
    pub fn allows_any(&self) -> bool {
        self.origins.iter().any(|origin| origin == ANY)
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        for origin in self.origins.iter().filter(|origin| *origin != ANY) {
            match exact_origin(origin) {
                Some(exact) if exact == *origin => {}
                Some(exact) => problems.refuse(
                    "cors.origins",
                    format!("must contain {exact:?} exactly so, as browsers send it"),
                ),
                None => problems.refuse(
                    "cors.origins",
                    format!(
                        r#"must contain origins such as "https://app.example.com", not {origin:?}"#
                    ),
                ),
            }
        }
        if self.allows_any() {
            if self.origins.len() > 1 {
                problems.refuse("cors.origins", r#"must contain "*" alone or not at all"#);
            }
            if self.credentials {
                problems.refuse(
                    "cors.origins",
                    r#"must not be "*" while cors.credentials is true, or any site could act with its visitors' cookies; name the origins"#,
                );
            }
        }
        for name in self.request_headers.iter().filter(|name| !is_token(name)) {
            problems.refuse(
                "cors.request_headers",
                format!(r#"must contain names of headers such as "traceparent", not {name:?}"#),
            );
        }
    }
}

/// Whether an origin is a subdomain of a pattern such as `https://*.example.com`.
fn is_subdomain(origin: &str, pattern: &str) -> bool {
    let Some((scheme, domain)) = pattern.split_once(SUBDOMAINS) else {
        return false;
    };
    let labels = origin
        .strip_prefix(scheme)
        .and_then(|rest| rest.strip_prefix("://"))
        .and_then(|rest| rest.strip_suffix(domain))
        .and_then(|rest| rest.strip_suffix('.'));
    let is_label = |label: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.bytes().all(is_plain)
    };
    labels.is_some_and(|labels| labels.split('.').all(is_label))
}

/// The origin of an address as browsers write it, or a pattern for subdomains.
fn exact_origin(text: &str) -> Option<String> {
    match text.split_once(SUBDOMAINS) {
        Some((scheme, domain)) => {
            let url = Url::parse(&format!("{scheme}://{domain}")).ok()?;
            let origin = origin_of(&url).filter(|_| !domain.contains('*'))?;
            // Every site of a whole top-level domain would be listed.
            let has_owner = matches!(url.host(), Some(Host::Domain(name)) if name == "localhost" || name.contains('.'));
            has_owner.then(|| origin.replacen("://", SUBDOMAINS, 1))
        }
        None => origin_of(&Url::parse(text).ok()?).filter(|_| !text.contains('*')),
    }
}

fn origin_of(url: &Url) -> Option<String> {
    match url.scheme() {
        "http" | "https" => Some(url.origin().ascii_serialization()),
        scheme if NO_PAGES.contains(&scheme) => None,
        // The URL standard gives apps no origin; web views send scheme and host.
        scheme => {
            let host = url.host_str().filter(|host| !host.is_empty())?;
            let port = url
                .port()
                .map_or_else(String::new, |port| format!(":{port}"));
            Some(format!("{scheme}://{host}{port}"))
        }
    }
}

/// A header's name (RFC 9110, 5.6.2).
fn is_token(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    // `*` would stand for every header.
    !name.is_empty() && name != ANY && name.bytes().all(is_token)
}
