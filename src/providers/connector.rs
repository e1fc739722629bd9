//! The two interfaces to providers: a connector speaks to one, and a preset is what one of OpenID Connect does in a way of
//! its own. Each provider that differs has a file; none touches what is outside of this folder.

use std::pin::Pin;

use url::Url;

use super::claims::StatedClaims;
use super::flow::{Answer, Flow};
use super::id_token::IdToken;
use super::identity::Identity;
use super::inspection::Finding;
use super::refusal::Refusal;
use crate::domain::clock::Timestamp;

/// What is asked of a provider.
pub(super) type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + 'a>>;

/// A user at a provider.
pub(super) struct Confirmed {
    pub identity: Identity,
    /// What the provider states beside it.
    pub stated: StatedClaims,
    /// The same with what the user may have written, such as the name in the form of Apple.
    pub claims: StatedClaims,
}

/// A provider.
pub(super) trait Connector: Send + Sync {
    /// Where the browser goes for this sign-in.
    fn authorization_url<'a>(&'a self, flow: &'a Flow, state: &'a str) -> Asked<'a, Url>;

    /// Who the user is, by what the browser brought back.
    fn confirm<'a>(&'a self, flow: &'a Flow, answer: &'a Answer) -> Asked<'a, Confirmed>;

    /// Whether the browser brings the answer back in a form, by `POST`.
    fn answers_by_form(&self) -> bool {
        false
    }

    /// What the provider states about itself, and whether it accepts this server.
    fn inspect<'a>(&'a self) -> Pin<Box<dyn Future<Output = Vec<Finding>> + 'a>>;
}

/// What a provider of OpenID Connect does in a way of its own. What it leaves out is done as the standard says.
pub(super) trait Preset: Send + Sync {
    /// Whether the answer comes in a form (`response_mode=form_post`).
    fn answers_by_form(&self) -> bool {
        false
    }

    /// Whether this error of a callback means that the user cancelled.
    fn is_cancelled(&self, error: &str) -> bool {
        error == "access_denied"
    }

    /// The secret of this server, where it is not the one of the settings.
    fn client_secret(&self, _now: Timestamp) -> Option<Result<String, Refusal>> {
        None
    }

    /// UserInfo, by what the discovery document names.
    fn userinfo(&self, named: Option<&Url>) -> Option<Url> {
        named.cloned()
    }

    /// Makes the claims those of the standard.
    fn adapt(&self, _claims: &mut StatedClaims, _answer: &Answer) {}

    /// By what the user is known there.
    fn subject(&self, token: &IdToken) -> Result<String, Refusal> {
        Ok(token.sub.clone())
    }

    /// Whether the provider gives out addresses of this domain to users with these claims.
    fn gives_out(&self, _claims: &StatedClaims, _domain: &str) -> bool {
        false
    }
}

/// A provider that does all as the standard says.
pub(super) struct Standard;

impl Preset for Standard {}
