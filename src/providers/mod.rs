//! Sign-in by other providers: what is asked of them, and what of their replies counts. A provider is settings and a
//! connector; each connector returns an [`Identity`]. Who the identity is here, `accounts` decides.
//!
//! # Threats
//! - a provider that hangs or is down: each has threads, a deadline and a circuit breaker of its own
//! - replies of one provider used for another (mix-up): `state` names the provider, each has a callback path of its own,
//!   and the issuer in the callback must be the provider's (RFC 9207)
//! - a `state` or code of another browser: `state` is sealed, bound to the browser or the app, and works once
//! - a stolen or injected code: PKCE binds it to `state`, and the nonce binds the ID token
//! - a provider that states addresses that it does not verify: only `email_verified`, a boolean, counts, and only where
//!   the settings trust it

mod cached;
mod claims;
mod client;
mod discovery;
mod flow;
mod id_token;
mod identity;
mod oidc;
mod refusal;

use std::collections::BTreeMap;

use url::Url;

pub use self::flow::{Answer, BoundTo, Flow, OpenedState, STATE_LIFETIME};
pub use self::identity::Identity;
use self::oidc::Oidc;
pub use self::refusal::Refusal;
use crate::config::{self, Settings};
use crate::domain::EmailAddress;
use crate::domain::clock::Clock;
use crate::domain::error::{Error, Result};
use crate::outbound;

/// The providers of the settings, by name.
#[derive(Default)]
pub struct Providers(BTreeMap<String, Provider>);

/// A provider.
pub struct Provider {
    /// Its name in the settings, and in its paths.
    pub name: String,
    settings: config::Provider,
    connector: Oidc,
}

impl Providers {
    /// Prepares the providers; none is asked yet.
    ///
    /// # Errors
    /// [`Error::Internal`], with the setting's name, if no call to an issuer could succeed.
    pub fn open(settings: &Settings, clock: &Clock) -> Result<Self> {
        let open = |(name, provider): (&String, &config::Provider)| {
            let issuer = Url::parse(&provider.issuer).map_err(|why| why.to_string());
            issuer
                .and_then(|issuer| outbound::check(&settings.outbound, &issuer))
                .map_err(|why| Error::internal(format!("providers.{name}.issuer: {why}")))?;
            let callback = callback_url(&settings.server.public_url, name);
            let opened = Provider {
                name: name.clone(),
                settings: provider.clone(),
                connector: Oidc::open(provider, callback, &settings.outbound, clock)?,
            };
            Ok((name.clone(), opened))
        };
        let opened: Result<_> = settings.providers.iter().map(open).collect();
        opened.map(Self)
    }

    /// The provider of this name.
    pub fn find(&self, name: &str) -> Option<&Provider> {
        self.0.get(name)
    }

    /// All, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.values()
    }
}

impl Provider {
    /// Its name for users.
    pub fn shown_name(&self) -> &str {
        self.settings.shown(&self.name)
    }

    /// What it is.
    pub fn kind(&self) -> config::ProviderKind {
        self.settings.kind
    }

    /// Whether it may create accounts.
    pub fn creates_accounts(&self) -> bool {
        self.settings.sign_up
    }

    /// Whether it gives out the address of this identity, and states it as verified.
    pub fn is_authoritative_for(&self, identity: &Identity) -> bool {
        let address = identity.verified_address();
        address.is_some_and(|address| self.settings.is_authoritative(address.domain()))
    }

    /// Where the browser goes for this sign-in.
    ///
    /// # Errors
    /// Why the provider cannot be used now.
    pub async fn authorization_url(&self, flow: &Flow, state: &str) -> Result<Url, Refusal> {
        self.connector.authorization_url(flow, state).await
    }

    /// Who the user is, by what the browser brought back.
    ///
    /// # Errors
    /// Why the answer does not count.
    pub async fn identity(&self, flow: &Flow, answer: &Answer) -> Result<Identity, Refusal> {
        let mut identity = self.connector.identity(flow, answer).await?;
        identity.email_verified &= self.settings.trust_email;
        let domains = &self.settings.allowed_domains;
        let is_allowed =
            |address: &EmailAddress| domains.iter().any(|domain| domain == address.domain());
        match domains.is_empty()
            || identity
                .verified_address()
                .is_some_and(|it| is_allowed(&it))
        {
            true => Ok(identity),
            false => Err(Refusal::DomainNotAllowed),
        }
    }
}

/// Where a provider sends the browser back to. Each has a path of its own.
fn callback_url(public_url: &Url, name: &str) -> String {
    let base = public_url.as_str().trim_end_matches('/');
    format!("{base}/v1/session/identity/{name}/callback")
}
