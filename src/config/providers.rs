//! `[providers.NAME]` and `[identities]`: sign-in by other providers.
//!
//! # Threats
//! - a page of another application that receives a sign-in (open redirect): only listed pages are returned to, compared
//!   after parsing
//! - a provider that impersonates another: the issuer is compared character by character with the configured one

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::declare::section;
use super::links::UNSAFE_SCHEMES;
use super::problems::Problems;
use super::provider_kind::{Origin, ProviderKind};
use super::server::is_this_machine;
use super::values::unset;
use super::{Environment, Secret};
use crate::domain::EmailAddress;

/// Stands for every domain.
const ANY_DOMAIN: &str = "*";
/// Stands for the tenant in an issuer of Microsoft, as its discovery documents have it.
pub const ANY_TENANT: &str = "{tenantid}";
const FRONTEND_URL: &str = "{frontend_url}";
/// The end of an entry that allows every page below a path.
const BELOW: &str = "/*";
/// The longest URL to return to, in bytes: it travels in `state`, and providers limit their URLs.
const LONGEST_REDIRECT: usize = 512;
/// The claim for the name (OpenID Connect Core 1.0, 5.1).
const NAME_CLAIM: &str = "name";
/// The most claims that are kept in one place, and the longest name of one.
const MOST_CLAIMS: usize = 32;
const LONGEST_CLAIM: usize = 128;
/// The values of `tenant` that stand for several tenants of Microsoft.
const SEVERAL_TENANTS: [&str; 2] = ["common", "organizations"];

section! {
    /// A provider by which users sign in, one table each: the name in place of `NAME` is part of its paths. The provider must
    /// know the callback URL `{public_url}/v1/session/identity/NAME/callback`. See `docs/guides/providers.md`.
    Provider {
        /// What it is: `google`, `microsoft`, `apple`, `gitlab`, `discord`, `github`, or `oidc` for any other provider of
        /// OpenID Connect.
        kind: ProviderKind = "oidc",
        /// Shown to users; "" is the name of the table.
        name: String = "",
        /// For `oidc`, and for a GitLab of your own: the issuer, as the provider's discovery document states it, character by
        /// character.
        issuer: String = "",
        /// For `microsoft`: the id of the tenant whose users sign in; `organizations` for all tenants, `common` for these and
        /// personal accounts.
        tenant: String = "",
        /// For `github`: the URL of a GitHub Enterprise Server. For `microsoft`: the URL of a national cloud.
        base_url: String = "",
        /// The id of this server at the provider.
        client_id: String = "",
        /// The secret of this server at the provider. `apple` has a key in its place.
        #[serde(with = "unset")]
        client_secret: Option<Secret> = "",
        /// For `apple`: the id of the team.
        team_id: String = "",
        /// For `apple`: the id of the key.
        key_id: String = "",
        /// For `apple`: the private key, a PKCS #8 file in PEM (`AuthKey_….p8`).
        #[serde(with = "unset")]
        private_key: Option<Secret> = "",
        /// What is requested of the provider; an empty list requests what is needed: of most `openid`, `email` and `profile`.
        scopes: Vec<String> = [],
        /// Domains of email addresses that may sign in by it; an empty list allows all. Compared exactly: list subdomains too.
        allowed_domains: Vec<String> = [],
        /// Domains whose addresses this provider gives out, or `*` for all: a user with a verified address there owns it. An
        /// account that has the address, verified, is linked at the first sign-in; with one that never verified it,
        /// `registration.unverified_reset` is done. List only what the provider controls. `google` knows its own.
        authoritative_domains: Vec<String> = [],
        /// Whether it may create accounts, whatever `registration.open` is. If not, it signs existing users in whose
        /// accounts are linked to it.
        sign_up: bool = true,
        /// Whether an email address that it states as verified counts as verified.
        trust_email: bool = true,
        /// The claim that becomes the name of a new user; "" for none. Users may change their name.
        name_claim: String = "name",
        /// Claims that are kept in the `profile` of a new user, such as `["picture"]`; `"avatar=picture"` keeps one under
        /// another name. Users may change their profile.
        profile_claims: Vec<String> = [],
        /// Claims that are kept in `metadata`, which users cannot change, at each sign-in by this provider, in the same form.
        /// A claim that it no longer states is removed.
        metadata_claims: Vec<String> = [],
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

/// Refuses settings of providers with which nothing works.
pub(super) fn check(
    providers: &BTreeMap<String, Provider>,
    env: Environment,
    problems: &mut Problems,
) {
    for (name, provider) in providers {
        let mut refuse =
            |key: &str, message: &str| problems.refuse(&format!("providers.{name}.{key}"), message);
        for (key, message) in provider.misfits(env) {
            refuse(key, &message);
        }
        let urls = [
            ("issuer", &provider.issuer),
            ("base_url", &provider.base_url),
        ];
        for (key, _) in urls
            .iter()
            .filter(|(_, url)| !url.is_empty() && !is_issuer(url))
        {
            let shape = r#"must be a URL without ? and #, such as "https://id.example.com""#;
            refuse(key, shape);
        }
        if !is_visible(&provider.client_id) {
            refuse("client_id", "must be given");
        }
        let secret = provider.client_secret.as_ref().map(Secret::expose);
        if !provider.kind.signs_its_secret() && !secret.is_some_and(is_visible) {
            refuse("client_secret", "must be given, on one line without spaces");
        }
        let scopes = provider.requested_scopes();
        let needed = provider.kind.needed_scopes();
        if !needed.iter().all(|scope| scopes.contains(scope))
            || !scopes.iter().all(|scope| is_visible(scope))
        {
            let needed = needed.join(" and ");
            refuse(
                "scopes",
                &format!("must contain {needed}, and scopes without spaces"),
            );
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
        let kept = [
            ("profile_claims", &provider.profile_claims),
            ("metadata_claims", &provider.metadata_claims),
        ];
        for (key, _) in kept.iter().filter(|(_, entries)| !are_kept_claims(entries)) {
            let shape = r#"must contain claims, each once, such as "picture" or "avatar=picture""#;
            refuse(key, shape);
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

/// A claim that is kept: the name under which, and its name at the provider.
pub fn kept_claim(entry: &str) -> (&str, &str) {
    entry.split_once('=').unwrap_or((entry, entry))
}

fn are_kept_claims(entries: &[String]) -> bool {
    let is_name = |name: &str| name.len() <= LONGEST_CLAIM && is_visible(name);
    let mut names = entries.iter().map(|entry| kept_claim(entry));
    let members: BTreeSet<&str> = names.clone().map(|(member, _)| member).collect();
    entries.len() <= MOST_CLAIMS
        && members.len() == entries.len()
        && names.all(|(member, claim)| is_name(member) && is_name(claim))
}

/// OpenID Connect Discovery 1.0, 3: a URL without query and fragment.
fn is_issuer(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.username().is_empty()
            && url.password().is_none()
    }) && !text.contains(['?', '#'])
}

fn is_tenant(text: &str) -> bool {
    SEVERAL_TENANTS.contains(&text) || is_tenant_id(text)
}

/// Whether a text is the id of a tenant: a UUID in lower case.
pub fn is_tenant_id(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => is_digit(byte),
        })
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Provider {
    /// The settings that its kind does not have, or that are missing: the key and what must be done.
    fn misfits(&self, env: Environment) -> Vec<(&'static str, String)> {
        let (kind, origin) = (self.kind.as_str(), self.kind.origin());
        let is_real = env == Environment::Production;
        let has_issuer = match origin {
            Origin::Issuer | Origin::IssuerOr(_) => true,
            Origin::Known(_) => !is_real,
            Origin::Tenant(_) | Origin::BaseUrl(_) => false,
        };
        let has_base_url = matches!(origin, Origin::Tenant(_) | Origin::BaseUrl(_));
        let has_tenant = matches!(origin, Origin::Tenant(_));
        let signs = self.kind.signs_its_secret();
        let given = [
            ("issuer", has_issuer, !self.issuer.is_empty()),
            ("tenant", has_tenant, !self.tenant.is_empty()),
            ("base_url", has_base_url, !self.base_url.is_empty()),
            ("client_secret", !signs, self.client_secret.is_some()),
            ("team_id", signs, !self.team_id.is_empty()),
            ("key_id", signs, !self.key_id.is_empty()),
            ("private_key", signs, self.private_key.is_some()),
        ];
        let unknown = given
            .into_iter()
            .filter(|(_, belongs, is_given)| *is_given && !belongs)
            .map(|(key, ..)| {
                (
                    key,
                    format!(r#"must be empty: kind = "{kind}" has no such setting"#),
                )
            });
        let mut misfits: Vec<_> = unknown.collect();
        if origin == Origin::Issuer && self.issuer.is_empty() {
            misfits.push(("issuer", "must be given".to_owned()));
        }
        if has_tenant && !is_tenant(&self.tenant) {
            let shape = "must be the id of a tenant in lower case, \"organizations\" or \"common\"";
            misfits.push(("tenant", shape.to_owned()));
        }
        let missing = [
            ("team_id", is_visible(&self.team_id)),
            ("key_id", is_visible(&self.key_id)),
            ("private_key", self.private_key.is_some()),
        ];
        for (key, _) in missing.iter().filter(|(_, is_given)| signs && !is_given) {
            misfits.push((*key, "must be given".to_owned()));
        }
        misfits
    }

    /// The issuer, or the URL that stands for it: where discovery begins, or of a GitHub.
    pub fn issuer_url(&self) -> String {
        let or = |given: &str, otherwise: &str| match given {
            "" => otherwise.to_owned(),
            given => given.to_owned(),
        };
        match self.kind.origin() {
            Origin::Issuer => self.issuer.clone(),
            Origin::IssuerOr(known) | Origin::Known(known) => or(&self.issuer, known),
            Origin::Tenant(_) => self.tenant_url(&self.tenant),
            Origin::BaseUrl(known) => or(&self.base_url, known).trim_end_matches('/').to_owned(),
        }
    }

    /// What the discovery document states as `issuer`, and ID tokens as `iss`; `{tenantid}` stands in it for any tenant.
    pub fn stated_issuer(&self) -> String {
        match self.kind.origin() {
            Origin::Tenant(_) if SEVERAL_TENANTS.contains(&&*self.tenant) => {
                self.tenant_url(ANY_TENANT)
            }
            _ => self.issuer_url(),
        }
    }

    fn tenant_url(&self, tenant: &str) -> String {
        let base = match (self.kind.origin(), &*self.base_url) {
            (Origin::Tenant(known), "") => known,
            (_, given) => given.trim_end_matches('/'),
        };
        format!("{base}/{tenant}/v2.0")
    }

    /// The scopes that are requested.
    pub fn requested_scopes(&self) -> Vec<&str> {
        match self.scopes.is_empty() {
            true => self.kind.scopes().to_vec(),
            false => self.scopes.iter().map(String::as_str).collect(),
        }
    }

    /// The claims that are kept, by their names at the provider, but for the name where the standard calls it so: users
    /// without one are frequent.
    pub fn claims_kept(&self) -> Vec<&str> {
        let name = self.own_name_claim().filter(|name| !name.is_empty());
        let kept = self.profile_claims.iter().chain(&self.metadata_claims);
        kept.map(|entry| kept_claim(entry).1).chain(name).collect()
    }

    /// The claim that is the name, where it is not the one of the standard; empty for none.
    pub fn own_name_claim(&self) -> Option<&str> {
        Some(&*self.name_claim).filter(|name| *name != NAME_CLAIM)
    }

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
