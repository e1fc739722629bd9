//! What a provider states about itself, checked one by one for the operator: `cloakroom providers check`.

use serde_json::Value;

use super::client::Client;
use super::discovery;
use super::issuer::Issuer;
use super::refusal::Refusal;
use crate::config;
use crate::crypto::jws::{Algorithm, KeySet};

/// A code that no provider gave out.
pub(super) const MADE_UP: &str = "cloakroom-providers-check";

/// What to do about a provider that does not answer.
pub(super) const UNREACHED: &str =
    "the log says why: this machine must reach the host, and trust its certificate";

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub topic: &'static str,
    /// What was found.
    pub what: String,
    /// What to do, where something is wrong or missing.
    pub advice: Option<(Severity, &'static str)>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Sign-in works without it.
    Warning,
    /// Sign-in does not work.
    Failure,
}

/// The findings, in the order of a sign-in.
#[derive(Default)]
pub(super) struct Findings(pub Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, topic: &'static str, what: impl Into<String>) {
        self.add(topic, what.into(), None);
    }

    pub(super) fn warn(
        &mut self,
        topic: &'static str,
        what: impl Into<String>,
        advice: &'static str,
    ) {
        self.add(topic, what.into(), Some((Severity::Warning, advice)));
    }

    pub(super) fn fail(
        &mut self,
        topic: &'static str,
        what: impl Into<String>,
        advice: &'static str,
    ) {
        self.add(topic, what.into(), Some((Severity::Failure, advice)));
    }

    fn add(&mut self, topic: &'static str, what: String, advice: Option<(Severity, &'static str)>) {
        self.0.push(Finding {
            topic,
            what,
            advice,
        });
    }

    /// How the token endpoint answers to a code that is made up.
    pub(super) fn client(&mut self, error: Option<&str>) {
        let topic = "client";
        match error {
            Some("invalid_grant" | "bad_verification_code") => {
                self.ok(topic, "client_id and secret are accepted");
            }
            Some("invalid_client" | "unauthorized_client" | "incorrect_client_credentials") => {
                self.fail(
                    topic,
                    "client_id or secret is refused",
                    "compare both with the registration at the provider",
                );
            }
            Some("redirect_uri_mismatch") => self.fail(
                topic,
                "the redirect URI is refused",
                "register it at the provider, character by character",
            ),
            other => {
                let error = other.unwrap_or("no answer that says so");
                self.warn(
                    topic,
                    format!("it is not known whether client_id and secret are right: {error}"),
                    "try a sign-in",
                );
            }
        }
    }
}

/// Checks a discovery document, and the keys that it names.
pub(super) async fn inspect(
    settings: &config::Provider,
    issuer: &Issuer,
    client: &Client,
    findings: &mut Findings,
) {
    let Some(url) = discovery::document_url(issuer, client) else {
        let advice = "correct the issuer, or list its network in outbound.private_networks";
        return findings.fail("discovery", "the document cannot be reached", advice);
    };
    let document: Value = match client.get(&url, None).await {
        Ok(document) => document,
        Err(refusal) => {
            let what = format!("{url}: {}", refusal.code());
            let advice = match refusal {
                Refusal::ProviderUnavailable => UNREACHED,
                _ => "the issuer must serve this document as JSON, without a redirect",
            };
            return findings.fail("discovery", what, advice);
        }
    };
    findings.ok("discovery", url);
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    match text("issuer") {
        Some(stated) if issuer.is_of_document(stated) => findings.ok("issuer", stated),
        stated => findings.fail(
            "issuer",
            stated.unwrap_or("is missing"),
            "the settings must have the issuer as the document states it",
        ),
    }
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        endpoint(name, text(name), true, client, findings);
    }
    endpoint(
        "userinfo_endpoint",
        text("userinfo_endpoint"),
        false,
        client,
        findings,
    );
    if let Some(url) = text("jwks_uri").and_then(|text| client.endpoint(text)) {
        let set = client.get::<Value>(&url, None).await;
        match set.ok().as_ref().and_then(KeySet::from_json) {
            Some(keys) if !keys.is_empty() => {
                findings.ok("keys", format!("{} that can verify", keys.len()));
            }
            _ => {
                let advice = "the provider must publish keys for RS256, PS256, ES256 or EdDSA";
                findings.fail("keys", "none that can verify", advice);
            }
        }
    }
    let list = |name: &str| {
        let list = document.get(name).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(Value::as_str).collect::<Vec<_>>())
    };
    capabilities(settings, list, findings);
    match document.get("authorization_response_iss_parameter_supported") {
        Some(Value::Bool(true)) => findings.ok("iss", "in each callback (RFC 9207)"),
        _ => findings.ok("iss", "not in callbacks: their paths tell providers apart"),
    }
}

fn endpoint(
    name: &'static str,
    url: Option<&str>,
    is_needed: bool,
    client: &Client,
    findings: &mut Findings,
) {
    match url {
        None if !is_needed => findings.ok(name, "none"),
        None => findings.fail(name, "is missing", "the provider must state it"),
        Some(text) => match client.endpoint(text) {
            Some(url) => findings.ok(name, url),
            None => findings.fail(
                name,
                text,
                "it must be https at a public host, or at the host of the issuer in outbound.private_networks",
            ),
        },
    }
}

fn capabilities<'d>(
    settings: &config::Provider,
    list: impl Fn(&str) -> Option<Vec<&'d str>>,
    findings: &mut Findings,
) {
    let algorithms = list("id_token_signing_alg_values_supported").unwrap_or_default();
    let verified = |name: &&&str| Algorithm::from_name(name).is_some();
    let usable: Vec<&str> = algorithms.iter().filter(verified).copied().collect();
    match usable.is_empty() {
        false => findings.ok("algorithms", usable.join(", ")),
        true => findings.warn(
            "algorithms",
            format!("none that is verified: {}", algorithms.join(", ")),
            "let the provider sign with RS256, PS256, ES256 or EdDSA",
        ),
    }
    let methods = list("token_endpoint_auth_methods_supported");
    let methods = methods.unwrap_or_else(|| vec!["client_secret_basic"]);
    match discovery::authentication(Some(&methods)) {
        Some(method) => findings.ok("authentication", method.as_str()),
        None => findings.fail(
            "authentication",
            methods.join(", "),
            "let the client authenticate by client_secret_basic or client_secret_post",
        ),
    }
    match list("code_challenge_methods_supported") {
        Some(methods) if methods.contains(&"S256") => findings.ok("pkce", "S256"),
        _ => findings.warn(
            "pkce",
            "S256 is not stated, and sent all the same",
            "turn PKCE on at the provider, if it can",
        ),
    }
    let lacking = |known: Option<Vec<&str>>, wanted: Vec<&str>| {
        let known = known?;
        let lacking = wanted.into_iter().filter(|name| !known.contains(name));
        Some(lacking.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
    };
    let scopes = settings.requested_scopes();
    match lacking(list("scopes_supported"), scopes.clone()) {
        None => findings.ok("scopes", scopes.join(" ")),
        Some(names) => {
            let what = format!("the provider does not state: {names}");
            findings.warn("scopes", what, "correct scopes, unless a sign-in works");
        }
    }
    if let Some(names) = lacking(list("claims_supported"), settings.claims_kept()) {
        let what = format!("the provider does not state: {names}");
        findings.warn("claims", what, "correct the claims that are kept");
    }
}
