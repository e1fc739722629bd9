//! GitHub, which has no ID tokens: its API is asked with the access token
//! (<https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>).
//!
//! # Threats
//! - a name that another user takes over (`login`): the user is known by the numeric `id`
//! - an address that the user never verified: only the one counts that GitHub calls primary and verified
//! - a code of another sign-in: `state`, and PKCE, which GitHub supports since July 2025

use std::pin::Pin;

use serde::Deserialize;
use serde_json::Map;
use url::Url;

use super::claims::{StatedClaims, usable_name};
use super::client::{Client, json, note_refused_client};
use super::connector::{Asked, Confirmed, Connector};
use super::flow::{Answer, Flow};
use super::identity::Identity;
use super::inspection::{Finding, Findings, MADE_UP, UNREACHED};
use super::refusal::Refusal;
use crate::config::{self, Secret};
use crate::domain::EmailAddress;
use crate::outbound::Reply;

/// GitHub for all, whose API has a host of its own.
const GITHUB: &str = "github.com";
/// GitHub Enterprise Cloud with data residency: each customer has a host below it, and an API below that.
const RESIDENT: &str = ".ghe.com";

pub(super) struct Github {
    settings: config::Provider,
    callback: String,
    client: Client,
    issuer: String,
    endpoints: Endpoints,
}

struct Endpoints {
    authorize: Url,
    token: Url,
    user: Url,
    emails: Url,
}

/// The reply of the token endpoint, whose refusals have the status 200 too
/// (<https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors>).
#[derive(Deserialize)]
struct TokenReply {
    access_token: Option<String>,
    token_type: Option<String>,
    error: Option<String>,
}

/// `GET /user`
#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
}

/// One of `GET /user/emails`.
#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

impl Endpoints {
    /// `None` if the base is no URL of a host.
    fn below(base: &str) -> Option<Self> {
        let url = Url::parse(base).ok()?;
        let api = match url.host_str()? {
            host if host == GITHUB || host.ends_with(RESIDENT) => format!("https://api.{host}"),
            _ => format!("{base}/api/v3"),
        };
        Some(Self {
            authorize: Url::parse(&format!("{base}/login/oauth/authorize")).ok()?,
            token: Url::parse(&format!("{base}/login/oauth/access_token")).ok()?,
            user: Url::parse(&format!("{api}/user")).ok()?,
            emails: Url::parse(&format!("{api}/user/emails?per_page=100")).ok()?,
        })
    }
}

impl Github {
    /// `None` if `base_url` is no URL of a host.
    pub(super) fn open(
        settings: &config::Provider,
        callback: String,
        client: Client,
    ) -> Option<Self> {
        let issuer = settings.issuer_url();
        Some(Self {
            settings: settings.clone(),
            callback,
            client,
            endpoints: Endpoints::below(&issuer)?,
            issuer,
        })
    }

    fn page(&self, flow: &Flow, state: &str) -> Url {
        let mut url = self.endpoints.authorize.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.callback)
            .append_pair("scope", &self.settings.requested_scopes().join(" "))
            .append_pair("state", state)
            .append_pair("code_challenge", &flow.challenge())
            .append_pair("code_challenge_method", "S256");
        url
    }

    async fn find_user(&self, flow: &Flow, answer: &Answer) -> Result<Confirmed, Refusal> {
        let code = answer.code(|error| error == "access_denied")?;
        let token = self.exchange(code, flow).await?;
        let claims: StatedClaims = self.client.get(&self.endpoints.user, Some(&token)).await?;
        let user: User = claims.read()?;
        let address = self.primary_address(&token).await?;
        let name = user.name.as_deref().and_then(usable_name);
        let identity = Identity {
            issuer: self.issuer.clone(),
            subject: user.id.to_string(),
            email_verified: address.is_some(),
            email: address.map(|address| address.as_str().to_owned()),
            is_authoritative: false,
            name: name.or_else(|| usable_name(&user.login)),
            profile: Map::new(),
            metadata: Map::new(),
        };
        Ok(Confirmed {
            identity,
            stated: claims.clone(),
            claims,
        })
    }

    /// What the token endpoint replies to a code.
    async fn present(&self, code: &str, flow: &Flow) -> Result<Reply, Refusal> {
        let secret = self.settings.client_secret.as_ref().map(Secret::expose);
        let form = vec![
            ("client_id", self.settings.client_id.clone()),
            ("client_secret", secret.unwrap_or_default().to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", self.callback.clone()),
            ("code_verifier", flow.verifier.clone()),
        ];
        self.client.post(&self.endpoints.token, None, form).await
    }

    async fn exchange(&self, code: &str, flow: &Flow) -> Result<String, Refusal> {
        let reply = self.present(code, flow).await?;
        let found = match reply.status {
            200 => json::<TokenReply>(&reply)?,
            400..=499 => {
                note_refused_client(&self.issuer, "");
                return Err(Refusal::ClientRefused);
            }
            _ => return Err(Refusal::ReplyInvalid),
        };
        if let Some(error) = found.error {
            if error == "bad_verification_code" {
                return Err(Refusal::CodeRefused);
            }
            note_refused_client(&self.issuer, &error);
            return Err(Refusal::ClientRefused);
        }
        let is_bearer = found
            .token_type
            .is_some_and(|token_type| token_type.eq_ignore_ascii_case("bearer"));
        let token = found.access_token.filter(|_| is_bearer);
        token.ok_or(Refusal::ReplyInvalid)
    }

    async fn examine(&self) -> Vec<Finding> {
        let mut findings = Findings::default();
        let endpoints = &self.endpoints;
        findings.ok("authorization_endpoint", endpoints.authorize.clone());
        findings.ok("token_endpoint", endpoints.token.clone());
        // Without a token it refuses.
        match self.client.status(&endpoints.user).await {
            Ok(401) => findings.ok("api", endpoints.user.clone()),
            other => {
                let (why, advice) = match other {
                    Ok(status) => (status.to_string(), "correct base_url"),
                    Err(refusal) => (refusal.code().to_owned(), UNREACHED),
                };
                let what = format!("{}: {why}", endpoints.user);
                findings.fail("api", what, advice);
            }
        }
        findings.ok("scopes", self.settings.requested_scopes().join(" "));
        if let Ok(flow) = Flow::for_inspection()
            && let Ok(reply) = self.present(MADE_UP, &flow).await
        {
            let error = json::<TokenReply>(&reply).ok().and_then(|it| it.error);
            findings.client(error.as_deref());
        }
        findings.0
    }

    /// The address that is primary and verified. None without the right to read it, which the user may have withheld.
    async fn primary_address(&self, token: &str) -> Result<Option<EmailAddress>, Refusal> {
        let emails = &self.endpoints.emails;
        let Some(found) = self
            .client
            .get_if_allowed::<Vec<Address>>(emails, token)
            .await?
        else {
            return Ok(None);
        };
        let mut primary = found.iter().filter(|it| it.primary && it.verified);
        match (primary.next(), primary.next()) {
            (_, Some(_)) => Err(Refusal::ClaimsInvalid),
            (first, None) => Ok(first.and_then(|it| EmailAddress::parse(&it.email).ok())),
        }
    }
}

impl Connector for Github {
    fn authorization_url<'a>(&'a self, flow: &'a Flow, state: &'a str) -> Asked<'a, Url> {
        Box::pin(async move { Ok(self.page(flow, state)) })
    }

    fn confirm<'a>(&'a self, flow: &'a Flow, answer: &'a Answer) -> Asked<'a, Confirmed> {
        Box::pin(self.find_user(flow, answer))
    }

    fn inspect<'a>(&'a self) -> Pin<Box<dyn Future<Output = Vec<Finding>> + 'a>> {
        Box::pin(self.examine())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_of_each_kind_of_github_is_found() {
        for (base, api) in [
            ("https://github.com", "https://api.github.com/user"),
            ("https://acme.ghe.com", "https://api.acme.ghe.com/user"),
            (
                "https://git.example.com",
                "https://git.example.com/api/v3/user",
            ),
            ("https://notgithub.com", "https://notgithub.com/api/v3/user"),
        ] {
            assert_eq!(Endpoints::below(base).unwrap().user.as_str(), api);
        }
    }
}
