//! `[providers.NAME]` and `[identities]`: sign-in by other providers.
//!
//! # Threats
//! - a page of another application that receives a sign-in (open redirect): only listed pages are returned to, compared
//!   after parsing
//! - a provider that impersonates another: the issuer is compared character by character with the configured one

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::declare::section;
use super::links::UNSAFE_SCHEMES;
use super::problems::Problems;
use super::server::is_this_machine;
use super::values::unset;
use super::{Environment, Secret};
use crate::domain::EmailAddress;

/// Stands for every domain.
const ANY_DOMAIN: &str = "*";
const FRONTEND_URL: &str = "{frontend_url}";
/// The end of an entry that allows every page below a path.
const BELOW: &str = "/*";
/// The longest URL to return to, in bytes: it travels in `state`, and providers limit their URLs.
const LONGEST_REDIRECT: usize = 512;
section! {
    /// A provider by which users sign in, one table each: the name in place of `NAME` is part of its paths. The provider must
    /// know the callback URL `{public_url}/v1/session/identity/NAME/callback`. See `docs/guides/providers.md`.
    Provider {
        /// What it is: `oidc` for any provider of OpenID Connect.
        kind: ProviderKind = "oidc",
        /// Shown to users; "" is the name of the table.
        name: String = "",
        /// The issuer, as the provider's discovery document states it, character by character.
        issuer: String = "",
        /// The id of this server at the provider.
        client_id: String = "",
        /// The secret of this server at the provider.
        #[serde(with = "unset")]
        client_secret: Option<Secret> = "",
        /// What is requested of the provider. `openid` must be among them.
        scopes: Vec<String> = ["openid", "email", "profile"],
        /// Domains of email addresses that may sign in by it; an empty list allows all. Compared exactly: list subdomains too.
        allowed_domains: Vec<String> = [],
        /// Domains whose addresses this provider gives out, or `*` for all: a user with a verified address there owns it. An
        /// account that has the address, verified, is linked at the first sign-in; with one that never verified it,
        /// `registration.unverified_reset` is done. List only what the provider controls.
        authoritative_domains: Vec<String> = [],
        /// Whether it may create accounts, whatever `registration.open` is. If not, it signs existing users in whose
        /// accounts are linked to it.
        sign_up: bool = true,
        /// Whether an email address that it states as verified counts as verified.
        trust_email: bool = true,
    }
}

section! {
    /// What all providers share.
    Identities {
        /// Where a sign-in by a provider may return to: whole URLs, or all pages below a path (`https://app.example.com/*`).
        /// `{frontend_url}` is `server.frontend_url`. An app link is possible: `myapp://sign-in`. The first one is the
        /// default.
        redirects: Vec<String> = ["{frontend_url}/sign-in/provider"],
    }
}

/// What a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// OpenID Connect.
    Oidc,
}

impl ProviderKind {
    /// Its name in the settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
        }
    }
}

/// Refuses settings of providers with which nothing works.
pub(super) fn check(providers: &BTreeMap<String, Provider>, problems: &mut Problems) {
    for (name, provider) in providers {
        let mut refuse =
            |key: &str, message: &str| problems.refuse(&format!("providers.{name}.{key}"), message);
        if !is_issuer(&provider.issuer) {
            let shape =
                r#"must be the issuer's URL without ? and #, such as "https://id.example.com""#;
            refuse("issuer", shape);
        }
        if !is_visible(&provider.client_id) {
            refuse("client_id", "must be given");
        }
        let secret = provider.client_secret.as_ref().map(Secret::expose);
        if !secret.is_some_and(is_visible) {
            refuse("client_secret", "must be given, on one line without spaces");
        }
        if !provider.scopes.iter().any(|scope| scope == "openid")
            || !provider.scopes.iter().all(|scope| is_visible(scope))
        {
            refuse("scopes", "must contain openid, and scopes without spaces");
        }
        let is_domain = |domain: &String| {
            let address = EmailAddress::parse(&format!("a@{domain}"));
            address.is_ok_and(|address| address.domain() == domain)
        };
        if !provider.allowed_domains.iter().all(is_domain) {
            let shape = r#"must contain domains such as "example.com", in lower case"#;
            refuse("allowed_domains", shape);
        }
        let is_any_or_domain = |domain: &String| domain == ANY_DOMAIN || is_domain(domain);
        if !provider.authoritative_domains.iter().all(is_any_or_domain) {
            let shape = r#"must contain domains such as "example.com", in lower case, or "*""#;
            refuse("authoritative_domains", shape);
        }
        if !provider.authoritative_domains.is_empty() && !provider.trust_email {
            refuse(
                "authoritative_domains",
                "must be empty where trust_email is off",
            );
        }
        if !provider.allowed_domains.is_empty() && !provider.trust_email {
            refuse("allowed_domains", "must be empty where trust_email is off");
        }
    }
}

/// OpenID Connect Discovery 1.0, 3: a URL without query and fragment.
fn is_issuer(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.username().is_empty()
            && url.password().is_none()
    }) && !text.contains(['?', '#'])
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Provider {
    /// Whether it gives out the addresses of this domain.
    pub fn is_authoritative(&self, domain: &str) -> bool {
        let mut domains = self.authoritative_domains.iter();
        domains.any(|known| known == ANY_DOMAIN || known == domain)
    }

    /// The name that users see; `name` is that of its table.
    pub fn shown<'p>(&'p self, name: &'p str) -> &'p str {
        match &*self.name {
            "" => name,
            shown => shown,
        }
    }
}

impl Identities {
    pub(super) fn check(&self, env: Environment, problems: &mut Problems) {
        if self.redirects.is_empty() {
            problems.refuse("identities.redirects", "must contain a page");
        }
        for entry in &self.redirects {
            if let Some(refusal) = refusal(entry, env) {
                problems.refuse("identities.redirects", format!("{refusal}, not {entry:?}"));
            }
        }
    }

    /// The URL to return to, if `requested` is allowed; the default without one. An app, which no cookie binds to the
    /// browser, has to name a whole entry: a page below a path could send the code on.
    pub(super) fn redirect(
        &self,
        requested: Option<&str>,
        is_app: bool,
        frontend_url: &Url,
    ) -> Option<Url> {
        let Some(text) = requested else {
            let first = self.redirects.first()?;
            return Url::parse(fill(first, frontend_url).trim_end_matches('*')).ok();
        };
        let found = parse(text)?;
        let is_allowed = |entry: &String| {
            let entry = fill(entry, frontend_url);
            match entry.strip_suffix('*') {
                Some(path) => !is_app && Url::parse(path).is_ok_and(|path| is_below(&found, &path)),
                None => Url::parse(&entry).is_ok_and(|entry| entry == found),
            }
        };
        self.redirects.iter().any(is_allowed).then_some(found)
    }
}

/// A URL that every reader takes for the same: of visible ASCII, without user, fragment and backslash.
fn parse(text: &str) -> Option<Url> {
    let is_plain = text.len() <= LONGEST_REDIRECT
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains(['\\', '#']);
    let url = is_plain.then(|| Url::parse(text).ok())??;
    let has_user = !url.username().is_empty() || url.password().is_some();
    (!has_user).then_some(url)
}

/// Whether a URL is of the same scheme and host, and below the path. Parsing has resolved `..`; what a server might decode
/// to it is refused.
fn is_below(url: &Url, path: &Url) -> bool {
    let encoded = url.path().to_ascii_lowercase();
    (url.scheme(), url.host(), url.port()) == (path.scheme(), path.host(), path.port())
        && url.path().starts_with(path.path())
        && !["%2e", "%2f", "%5c"]
            .iter()
            .any(|part| encoded.contains(part))
}

fn fill(entry: &str, frontend_url: &Url) -> String {
    entry.replace(FRONTEND_URL, frontend_url.as_str().trim_end_matches('/'))
}

/// What an entry must be, where it does not do.
fn refusal(entry: &str, env: Environment) -> Option<&'static str> {
    let whole = entry.strip_suffix(BELOW).map(|start| format!("{start}/"));
    let whole = whole.as_deref().unwrap_or(entry);
    let rest = whole.strip_prefix(FRONTEND_URL).unwrap_or(whole);
    // The base is not the entry's fault.
    let base = Url::parse("https://frontend.example").ok()?;
    let url = match rest.contains(['{', '}', '*']) {
        true => None,
        false => parse(&fill(whole, &base)),
    };
    match url {
        None => Some(
            "must be a whole URL without # and user, such as \"https://app.example.com/sign-in\"",
        ),
        Some(url) if UNSAFE_SCHEMES.contains(&url.scheme()) => {
            Some("must begin with {frontend_url}, https:// or the scheme of an app")
        }
        Some(url)
            if env == Environment::Production
                && url.scheme() == "http"
                && !is_this_machine(&url) =>
        {
            Some("must begin with https:// in production; http:// only does for localhost")
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(redirects: &[&str], requested: &str) -> bool {
        let identities = Identities {
            redirects: redirects.iter().map(|entry| (*entry).to_owned()).collect(),
        };
        let frontend = Url::parse("https://app.example.com").unwrap();
        identities
            .redirect(Some(requested), false, &frontend)
            .is_some()
    }

    #[test]
    fn a_listed_page_is_returned_to_exactly() {
        let listed = ["{frontend_url}/sign-in", "myapp://sign-in"];
        for page in [
            "https://app.example.com/sign-in",
            "https://APP.example.com:443/sign-in",
            "myapp://sign-in",
        ] {
            assert!(allows(&listed, page), "{page}");
        }
        for page in [
            "https://app.example.com/sign-in/",
            "https://app.example.com/sign-in?next=1",
            "https://app.example.com/sign-in#x",
            "https://app.example.com/",
            "https://app.example.com.evil.example/sign-in",
            "https://app.example.com@evil.example/sign-in",
            "https://evil.example\\@app.example.com/sign-in",
            "http://app.example.com/sign-in",
            "//app.example.com/sign-in",
            "/sign-in",
            "\\\\evil.example/sign-in",
            "javascript:alert(1)",
            "myapp://sign-in/other",
            "https://app.example.com/sign-in\n",
            "https://аpp.example.com/sign-in",
        ] {
            assert!(!allows(&listed, page), "{page}");
        }
    }

    #[test]
    fn pages_below_a_listed_path_are_returned_to() {
        let listed = ["https://app.example.com/a/*"];
        for page in [
            "https://app.example.com/a/",
            "https://app.example.com/a/b?c=d",
            "https://app.example.com/b/../a/c",
        ] {
            assert!(allows(&listed, page), "{page}");
        }
        for page in [
            "https://app.example.com/a",
            "https://app.example.com/ab/c",
            "https://app.example.com/a/../b",
            "https://app.example.com/a/%2e%2e/b",
            "https://app.example.com/a/%2E%2E%2Fb",
            "https://app.example.com/a/..%5cb",
            "https://app.example.com:8443/a/b",
            "https://x.app.example.com/a/b",
        ] {
            assert!(!allows(&listed, page), "{page}");
        }
    }

    #[test]
    fn entries_that_no_page_can_have_are_refused() {
        let refused = |entry| refusal(entry, Environment::Production).is_some();
        for entry in [
            "",
            "*",
            "https://*",
            "https://*.example.com/*",
            "{frontend_url}*",
            "javascript:alert(1)",
            "http://app.example.com/sign-in",
            "https://app.example.com/#sign-in",
            "https://user@app.example.com/",
            "/sign-in",
        ] {
            assert!(refused(entry), "{entry}");
        }
        for entry in [
            "{frontend_url}/*",
            "{frontend_url}/sign-in",
            "https://app.example.com/a/*",
            "myapp://sign-in",
            "http://localhost:3001/sign-in",
        ] {
            assert!(!refused(entry), "{entry}");
        }
    }
}
