//! `[passkeys]`: who passkeys are for.
//!
//! # Threats
//! - a passkey used on a page that is not the application's: the origins are a list, compared whole, and each is of the
//!   relying party's domain; an origin that may call (`cors.origins`) is not one of them
//! - a passkey over plain http: refused, except on this machine

use url::{Host, Url};

use super::Server;
use super::declare::section;
use super::problems::Problems;
use super::server::is_this_machine;
use super::values::unset;

/// What the origin of an Android app begins with; the SHA-256 of its certificate follows in base64url.
const ANDROID: &str = "android:apk-key-hash:";
const ANDROID_HASH_LENGTH: usize = 43;

section! {
    /// Passkeys.
    Passkeys {
        /// The domain that passkeys are for: the host of the pages that use them, or a parent domain of it, so that pages
        /// of sibling subdomains can use them as well. "" is the host of `server.frontend_url`; where that is an address
        /// or plain http on another machine, there are no passkeys. **A change makes all existing passkeys useless.**
        /// Browsers refuse domains under which anyone can register, such as "co.uk".
        #[serde(with = "unset")]
        rp_id: Option<String> = "",
        /// Origins of the pages and apps that may use passkeys, exactly as browsers send them: of `rp_id` or a subdomain.
        /// Android apps have `"android:apk-key-hash:<SHA-256 of the certificate>"`. [] is the origin of
        /// `server.frontend_url`.
        origins: Vec<String> = [],
        /// The name that authenticators show; "" is `mail.service_name`.
        rp_name: String = "",
    }
}

impl Passkeys {
    /// The domain that passkeys are for; `None` where no browser would make one.
    pub fn domain(&self, server: &Server) -> Option<String> {
        match (&self.rp_id, server.frontend_url.host()) {
            (Some(domain), _) => Some(domain.clone()),
            (None, Some(Host::Domain(host))) if is_secure(&server.frontend_url) => {
                Some(host.to_owned())
            }
            (None, _) => None,
        }
    }

    /// The origins that may use them.
    pub fn allowed_origins(&self, server: &Server) -> Vec<String> {
        match self.origins.is_empty() {
            true => vec![server.frontend_url.origin().ascii_serialization()],
            false => self.origins.clone(),
        }
    }

    pub(super) fn check(&self, server: &Server, problems: &mut Problems) {
        if self.rp_id.as_deref().is_some_and(|id| !is_domain(id)) {
            let message = r#"must be a domain such as "example.com", in lower case, without scheme and port; "localhost" does for development"#;
            problems.refuse("passkeys.rp_id", message);
            return;
        }
        let Some(domain) = self.domain(server) else {
            if !self.origins.is_empty() {
                problems.refuse(
                    "passkeys.rp_id",
                    "must be set while passkeys.origins is, because server.frontend_url has no domain or is plain http",
                );
            }
            return;
        };
        let url = &server.frontend_url;
        if self.origins.is_empty() && !(is_secure(url) && is_within(url, &domain)) {
            problems.refuse(
                "passkeys.rp_id",
                "must be the host of server.frontend_url or a parent domain of it, unless passkeys.origins names pages",
            );
        }
        for origin in self.origins.iter().filter(|origin| !is_of(origin, &domain)) {
            problems.refuse(
                "passkeys.origins",
                format!(
                    r#"must contain https origins of {domain} or its subdomains, exactly as browsers send them, or "{ANDROID}…", not {origin:?}"#
                ),
            );
        }
    }
}

/// Whether an origin, written as browsers write it, is a page of a domain or an app.
fn is_of(origin: &str, domain: &str) -> bool {
    if let Some(hash) = origin.strip_prefix(ANDROID) {
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        return hash.len() == ANDROID_HASH_LENGTH && hash.bytes().all(is_base64url);
    }
    let is_exact = |url: &Url| {
        let host = url.host_str().unwrap_or_default();
        url.origin().ascii_serialization() == origin && !host.contains('*')
    };
    Url::parse(origin).is_ok_and(|url| is_exact(&url) && is_secure(&url) && is_within(&url, domain))
}

/// Browsers offer passkeys in secure contexts only.
fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(url))
}

fn is_within(url: &Url, domain: &str) -> bool {
    let Some(Host::Domain(host)) = url.host() else {
        return false;
    };
    let rest = host.strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_domain(text: &str) -> bool {
    let has_owner = text == "localhost" || text.contains('.');
    let host = Host::parse(text);
    has_owner && matches!(host, Ok(Host::Domain(parsed)) if parsed == text && !text.ends_with('.'))
}
