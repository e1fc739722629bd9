//! What a provider states about itself (OpenID Connect Discovery 1.0), and its keys. Both are kept for an hour.
//!
//! # Threats
//! - a document of another issuer, whose keys would then sign for this one: its `issuer` must be the configured one,
//!   character by character
//! - endpoints in the internal network: refused, as all that outbound requests do not reach
//! - tokens with unknown key ids that make this server ask for keys: at most once a minute

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::cached::Cached;
use super::client::Client;
use super::issuer::Issuer;
use super::refusal::Refusal;
use crate::crypto::jws::KeySet;

const PATH: &str = "/.well-known/openid-configuration";
/// How long the document and the keys are taken to be current.
const LIFETIME: Duration = Duration::from_secs(3600);
/// Keys older than this are fetched again where one is missing.
const KEYS_INTERVAL: Duration = Duration::from_secs(60);

/// How this server authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuthentication {
    /// By HTTP Basic: `client_secret_basic`.
    Basic,
    /// In the form: `client_secret_post`.
    Post,
}

impl ClientAuthentication {
    /// Its name in discovery documents.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

/// How this server authenticates, by what a discovery document states.
pub(super) fn authentication(stated: Option<&[&str]>) -> Option<ClientAuthentication> {
    // Basic is what a provider supports that states nothing.
    let stated = stated.unwrap_or(&["client_secret_basic"]);
    let methods = [ClientAuthentication::Basic, ClientAuthentication::Post];
    methods
        .into_iter()
        .find(|method| stated.contains(&method.as_str()))
}

/// Where the discovery document lies, if a call to it could succeed.
pub(super) fn document_url(issuer: &Issuer, client: &Client) -> Option<Url> {
    let base = issuer.url.trim_end_matches('/');
    client.endpoint(&format!("{base}{PATH}"))
}

/// What is used of a discovery document.
#[derive(Debug)]
pub(super) struct Metadata {
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub userinfo_endpoint: Option<Url>,
    pub authentication: ClientAuthentication,
    /// Whether each callback has `iss` (RFC 9207).
    pub sends_issuer: bool,
    keys: Url,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: Option<String>,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

/// The document and the keys of one provider.
pub(super) struct Discovery {
    issuer: Issuer,
    metadata: Cached<Metadata>,
    keys: Cached<KeySet>,
}

impl Discovery {
    pub(super) fn of(issuer: Issuer) -> Self {
        Self {
            issuer,
            metadata: Cached::default(),
            keys: Cached::default(),
        }
    }

    /// What the provider states about itself.
    pub(super) async fn metadata(&self, client: &Client) -> Result<Arc<Metadata>, Refusal> {
        let fetch = self.fetch(client);
        self.metadata.get(LIFETIME, &client.clock, fetch).await
    }

    /// The keys, fetched again if a token names one that is not among them.
    pub(super) async fn keys(
        &self,
        client: &Client,
        metadata: &Metadata,
        lacks_one: bool,
    ) -> Result<Arc<KeySet>, Refusal> {
        let most = match lacks_one {
            true => KEYS_INTERVAL,
            false => LIFETIME,
        };
        let fetch = async {
            let set: Value = client.get(&metadata.keys, None).await?;
            KeySet::from_json(&set).ok_or(Refusal::ReplyInvalid)
        };
        self.keys.get(most, &client.clock, fetch).await
    }

    async fn fetch(&self, client: &Client) -> Result<Metadata, Refusal> {
        let url = document_url(&self.issuer, client).ok_or(Refusal::DiscoveryInvalid)?;
        let document: Document = client.get(&url, None).await?;
        document
            .check(&self.issuer, client)
            .ok_or(Refusal::DiscoveryInvalid)
    }
}

impl Document {
    fn check(&self, issuer: &Issuer, client: &Client) -> Option<Metadata> {
        if !issuer.is_of_document(&self.issuer) {
            return None;
        }
        let userinfo = self.userinfo_endpoint.as_deref();
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        let methods: Option<Vec<&str>> =
            methods.map(|methods| methods.iter().map(String::as_str).collect());
        Some(Metadata {
            authorization_endpoint: client.endpoint(&self.authorization_endpoint)?,
            token_endpoint: client.endpoint(&self.token_endpoint)?,
            userinfo_endpoint: match userinfo {
                Some(url) => Some(client.endpoint(url)?),
                None => None,
            },
            authentication: authentication(methods.as_deref())?,
            sends_issuer: self.authorization_response_iss_parameter_supported == Some(true),
            keys: client.endpoint(&self.jwks_uri)?,
        })
    }
}
