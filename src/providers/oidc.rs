//! OpenID Connect: the authorization code flow with PKCE, `state`, `nonce` and `iss`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::claims::StatedClaims;
use super::client::{Client, json};
use super::discovery::{ClientAuthentication, Discovery, Metadata};
use super::flow::{Answer, Flow};
use super::id_token::{Expected, IdToken, MAX_LENGTH};
use super::identity::Identity;
use super::refusal::Refusal;
use crate::config::{self, Secret};
use crate::crypto::jws::{Jws, JwsError};
use crate::domain::clock::Clock;
use crate::domain::error::Result;

/// One provider.
pub(super) struct Oidc {
    settings: config::Provider,
    callback: String,
    client: Client,
    discovery: Discovery,
}

/// The reply of the token endpoint (OpenID Connect Core 1.0, 3.1.3.3).
#[derive(Deserialize)]
struct TokenReply {
    access_token: String,
    token_type: String,
    id_token: Option<String>,
}

/// Its refusal (RFC 6749, 5.2).
#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
}

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    #[serde(flatten)]
    claims: StatedClaims,
}

impl Oidc {
    pub(super) fn open(
        settings: &config::Provider,
        callback: String,
        outbound: &config::Outbound,
        clock: &Clock,
    ) -> Result<Self> {
        Ok(Self {
            settings: settings.clone(),
            callback,
            client: Client::start(outbound, clock)?,
            discovery: Discovery::of(&settings.issuer),
        })
    }

    pub(super) async fn authorization_url(&self, flow: &Flow, state: &str) -> Result<Url, Refusal> {
        let metadata = self.discovery.metadata(&self.client).await?;
        let mut url = metadata.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.callback)
            .append_pair("scope", &self.settings.scopes.join(" "))
            .append_pair("state", state)
            .append_pair("nonce", &flow.nonce)
            .append_pair("code_challenge", &flow.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    pub(super) async fn identity(&self, flow: &Flow, answer: &Answer) -> Result<Identity, Refusal> {
        let metadata = self.discovery.metadata(&self.client).await?;
        let code = self.code(answer, &metadata)?;
        let tokens = self.exchange(code, flow, &metadata).await?;
        let id_token = self.verify(&tokens, flow, &metadata).await?;
        let claims = match &metadata.userinfo_endpoint {
            Some(url) if !id_token.claims.has_email() => {
                let found: UserInfo = self.client.get(url, Some(&tokens.access_token)).await?;
                if found.sub != id_token.sub {
                    return Err(Refusal::UserInfoSubject);
                }
                found.claims.check()?
            }
            _ => id_token.claims.check()?,
        };
        Ok(Identity {
            issuer: self.settings.issuer.clone(),
            subject: id_token.sub,
            email: claims.email,
            email_verified: claims.email_verified,
            name: claims.name,
        })
    }

    /// The code in the callback. The issuer is compared first: the rest may be another's.
    fn code<'a>(&self, answer: &'a Answer, metadata: &Metadata) -> Result<&'a str, Refusal> {
        match answer.iss.as_deref() {
            Some(issuer) if issuer != self.settings.issuer => return Err(Refusal::IssuerMismatch),
            None if metadata.sends_issuer => return Err(Refusal::IssuerMismatch),
            _ => {}
        }
        match answer.error.as_deref() {
            Some("access_denied") => return Err(Refusal::AccessDenied),
            Some(_) => return Err(Refusal::ProviderError),
            None => {}
        }
        let code = answer.code.as_deref().filter(|code| !code.is_empty());
        code.ok_or(Refusal::CodeMissing)
    }

    /// Exchanges the code for tokens.
    async fn exchange(
        &self,
        code: &str,
        flow: &Flow,
        metadata: &Metadata,
    ) -> Result<TokenReply, Refusal> {
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", self.callback.clone()),
            ("code_verifier", flow.verifier.clone()),
        ];
        let (id, secret) = (
            &self.settings.client_id,
            self.settings.client_secret.as_ref(),
        );
        let secret = secret.map(Secret::expose).unwrap_or_default();
        let authorization = match metadata.authentication {
            ClientAuthentication::Basic => Some(basic(id, secret)),
            ClientAuthentication::Post => {
                form.push(("client_id", id.clone()));
                form.push(("client_secret", secret.to_owned()));
                None
            }
        };
        let url = &metadata.token_endpoint;
        let reply = self.client.post(url, authorization, form).await?;
        match reply.status {
            200 => json(&reply),
            400..=499 => match json::<TokenRefusal>(&reply) {
                Ok(TokenRefusal { error }) if error == "invalid_grant" => Err(Refusal::CodeRefused),
                refused => {
                    let error = refused.map(|refusal| refusal.error).unwrap_or_default();
                    let error: String = error
                        .chars()
                        .filter(char::is_ascii_graphic)
                        .take(64)
                        .collect();
                    let issuer = &self.settings.issuer;
                    tracing::warn!(
                        issuer,
                        error,
                        "a provider does not accept client_id and client_secret"
                    );
                    Err(Refusal::ClientRefused)
                }
            },
            _ => Err(Refusal::ReplyInvalid),
        }
    }

    /// The ID token, once its signature and its claims are right.
    async fn verify(
        &self,
        tokens: &TokenReply,
        flow: &Flow,
        metadata: &Metadata,
    ) -> Result<IdToken, Refusal> {
        if !tokens.token_type.eq_ignore_ascii_case("bearer") {
            return Err(Refusal::ReplyInvalid);
        }
        let text = tokens.id_token.as_deref().ok_or(Refusal::IdTokenMissing)?;
        if text.len() > MAX_LENGTH {
            return Err(Refusal::IdTokenMalformed);
        }
        let token = Jws::parse(text)?;
        let keys = self.discovery.keys(&self.client, metadata, false).await?;
        let payload = match token.verify(&keys) {
            // The provider may have new keys.
            Err(JwsError::UnknownKey) => {
                let keys = self.discovery.keys(&self.client, metadata, true).await?;
                token.verify(&keys)?
            }
            verified => verified?,
        };
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: &flow.nonce,
            access_token: &tokens.access_token,
            now: self.client.clock.now(),
        };
        IdToken::read(&payload, token.algorithm, &expected)
    }
}

/// HTTP Basic with both parts encoded as in a form (RFC 6749, 2.3.1).
fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(id), encode(secret));
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}
