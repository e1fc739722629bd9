//! Sign-in by other providers: what is asked of them, and what of their replies counts. A provider is settings and a
//! connector; each connector returns an [`Identity`]. Who the identity is here, `accounts` decides. `oidc` speaks OpenID
//! Connect, with a preset for a provider that does something in a way of its own; `github` its API.
//!
//! # Threats
//! - a provider that hangs or is down: each has threads, a deadline and a circuit breaker of its own
//! - replies of one provider used for another (mix-up): `state` names the provider, each has a callback path of its own,
//!   and the issuer in the callback must be the provider's (RFC 9207)
//! - a `state` or code of another browser: `state` is sealed, bound to the browser or the app, and works once
//! - a stolen or injected code: PKCE binds it to `state`, and the nonce binds the ID token
//! - a provider that states addresses that it does not verify: only `email_verified`, a boolean, counts, and only where
//!   the settings trust it

mod apple;
mod cached;
mod claims;
mod client;
mod connector;
mod discord;
mod discovery;
mod flow;
mod github;
mod google;
mod id_token;
mod identity;
mod inspection;
mod issuer;
mod microsoft;
mod oidc;
mod refusal;

use std::collections::BTreeMap;

use url::Url;

use self::apple::Apple;
use self::claims::usable_name;
use self::client::{CallFigures, Client};
use self::connector::{Confirmed, Connector, Preset, Standard};
use self::discord::Discord;
pub use self::flow::{Answer, BoundTo, Flow, OpenedState, STATE_LIFETIME};
use self::github::Github;
use self::google::Google;
pub use self::identity::Identity;
pub use self::inspection::{Finding, Severity};
use self::microsoft::Microsoft;
use self::oidc::Oidc;
pub use self::refusal::Refusal;
use crate::config::{self, ProviderKind, Settings};
use crate::domain::EmailAddress;
use crate::domain::clock::Clock;
use crate::domain::error::{Error, Result};
use crate::outbound::{self, Outbound, Reach};

/// The providers of the settings, by name.
#[derive(Default)]
pub struct Providers(BTreeMap<String, Provider>);

/// A provider.
pub struct Provider {
    /// Its name in the settings, and in its paths.
    pub name: String,
    settings: config::Provider,
    callback: String,
    connector: Box<dyn Connector>,
    calls: CallFigures,
}

impl Providers {
    /// Prepares the providers; none is asked yet.
    ///
    /// # Errors
    /// [`Error::Internal`], with the setting's name, if no call to an issuer could succeed, or a key cannot be used.
    pub fn open(settings: &Settings, outbound: &Outbound, clock: &Clock) -> Result<Self> {
        let open = |(name, provider): (&String, &config::Provider)| {
            let refused = |key, why| Error::internal(format!("providers.{name}.{key}: {why}"));
            let issuer = Url::parse(&provider.issuer_url()).map_err(|why| why.to_string());
            let check = |issuer: &Url| outbound::check(&settings.outbound, Reach::Listed, issuer);
            let issuer = issuer.and_then(|issuer| check(&issuer).map(|()| issuer));
            let issuer = issuer.map_err(|why| refused("issuer", why))?;
            let callback = callback_url(&settings.server.public_url, name);
            let client = Client::new(&settings.outbound, outbound, &issuer, clock);
            let calls = client.figures();
            let opened = Provider {
                calls,
                name: name.clone(),
                settings: provider.clone(),
                connector: connector(provider, callback.clone(), client)
                    .map_err(|(key, why)| refused(key, why.to_owned()))?,
                callback,
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

    /// What is counted of the calls to it.
    pub fn calls(&self) -> &CallFigures {
        &self.calls
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
        address.is_some_and(|address| {
            identity.is_authoritative || self.settings.is_authoritative(address.domain())
        })
    }

    /// Whether the browser brings its answer back in a form. That request comes from a page of the provider, so it has no
    /// cookie.
    pub fn answers_by_form(&self) -> bool {
        self.connector.answers_by_form()
    }

    /// The redirect URI to register at the provider, and what it states about itself.
    pub async fn inspect(&self) -> (&str, Vec<Finding>) {
        (&self.callback, self.connector.inspect().await)
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
        let Confirmed {
            mut identity,
            stated,
            claims,
        } = self.connector.confirm(flow, answer).await?;
        if let Some(claim) = self.settings.own_name_claim() {
            identity.name = claims.as_text(claim).and_then(usable_name);
        }
        identity.profile = claims.kept(&self.settings.profile_claims);
        identity.profile.retain(|_, value| !value.is_null());
        identity.metadata = stated.kept(&self.settings.metadata_claims);
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

/// How a provider is spoken to; the setting that cannot be used, and why, if there is none.
fn connector(
    settings: &config::Provider,
    callback: String,
    client: Client,
) -> Result<Box<dyn Connector>, (&'static str, &'static str)> {
    let preset: Box<dyn Preset> = match settings.kind {
        ProviderKind::Oidc | ProviderKind::Gitlab => Box::new(Standard),
        ProviderKind::Google => Box::new(Google),
        ProviderKind::Microsoft => Box::new(Microsoft),
        ProviderKind::Apple => {
            let why = "must be a private key of P-256: a PKCS #8 file in PEM";
            Box::new(Apple::open(settings).ok_or(("private_key", why))?)
        }
        ProviderKind::Discord => Box::new(Discord {
            url: Url::parse(&settings.issuer_url()).ok(),
        }),
        ProviderKind::Github => {
            let opened = Github::open(settings, callback, client);
            return Ok(Box::new(opened.ok_or(("base_url", "must name a host"))?));
        }
    };
    Ok(Box::new(Oidc::new(settings, preset, callback, client)))
}

/// Where a provider sends the browser back to. Each has a path of its own.
fn callback_url(public_url: &Url, name: &str) -> String {
    let base = public_url.as_str().trim_end_matches('/');
    format!("{base}/v1/session/identity/{name}/callback")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Sources};

    #[test]
    fn a_key_that_cannot_sign_is_refused_by_its_name() {
        let settings = [
            ("KIND", "apple"),
            ("CLIENT_ID", "client"),
            ("TEAM_ID", "TEAM"),
            ("KEY_ID", "KEY"),
            ("PRIVATE_KEY", "no key"),
        ];
        let variables = settings.map(|(name, value)| {
            let name = format!("CLOAKROOM__PROVIDERS__ACME__{name}");
            (name, value.to_owned())
        });
        let settings = Settings::load(&Sources {
            env: Environment::Test,
            file: None,
            variables: variables.to_vec(),
            ignored: Vec::new(),
        });
        let settings = settings.unwrap();
        let outbound = Outbound::new(&settings.outbound);
        let refused = Providers::open(&settings, &outbound, &Clock::System).err();
        let text = refused.unwrap().to_string();
        assert!(
            text.starts_with("providers.acme.private_key: must be"),
            "{text}"
        );
    }
}
