//! OpenID Connect: the authorization code flow with PKCE, `state`, `nonce` and `iss`.

use std::pin::Pin;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Map;
use url::{Url, form_urlencoded};

use super::claims::StatedClaims;
use super::client::{Client, json, note_refused_client};
use super::connector::{Asked, Confirmed, Connector, Preset};
use super::discovery::{ClientAuthentication, Discovery, Metadata};
use super::flow::{Answer, Flow};
use super::id_token::{Expected, IdToken, MAX_LENGTH};
use super::identity::Identity;
use super::inspection::{Finding, Findings, MADE_UP, inspect};
use super::issuer::Issuer;
use super::refusal::Refusal;
use crate::config::{self, Secret};
use crate::crypto::jws::{Jws, JwsError};
use crate::outbound::Reply;

/// One provider.
pub(super) struct Oidc {
    settings: config::Provider,
    issuer: Issuer,
    preset: Box<dyn Preset>,
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
    pub(super) fn new(
        settings: &config::Provider,
        preset: Box<dyn Preset>,
        callback: String,
        client: Client,
    ) -> Self {
        let issuer = Issuer::of(settings);
        Self {
            settings: settings.clone(),
            discovery: Discovery::of(issuer.clone()),
            issuer,
            preset,
            callback,
            client,
        }
    }

    async fn find_authorization_url(&self, flow: &Flow, state: &str) -> Result<Url, Refusal> {
        let metadata = self.discovery.metadata(&self.client).await?;
        let mut url = metadata.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.callback)
            .append_pair("scope", &self.settings.requested_scopes().join(" "))
            .append_pair("state", state)
            .append_pair("nonce", &flow.nonce)
            .append_pair("code_challenge", &flow.challenge())
            .append_pair("code_challenge_method", "S256");
        if self.preset.answers_by_form() {
            url.query_pairs_mut()
                .append_pair("response_mode", "form_post");
        }
        Ok(url)
    }

    async fn find_user(&self, flow: &Flow, answer: &Answer) -> Result<Confirmed, Refusal> {
        let metadata = self.discovery.metadata(&self.client).await?;
        let code = self.code(answer, &metadata)?;
        let tokens = self.exchange(code, flow, &metadata).await?;
        let id_token = self.verify(&tokens, flow, &metadata).await?;
        let subject = self.preset.subject(&id_token)?;
        let mut claims = id_token.claims.clone();
        let kept = self.settings.claims_kept();
        let lacks_one = kept.iter().any(|claim| claims.get(claim).is_none());
        if (!claims.has_email() || lacks_one)
            && let Some(url) = self.preset.userinfo(metadata.userinfo_endpoint.as_ref())
        {
            let found: UserInfo = self.client.get(&url, Some(&tokens.access_token)).await?;
            if found.sub != id_token.sub {
                return Err(Refusal::UserInfoSubject);
            }
            claims.add(found.claims);
        }
        let stated = claims.clone();
        self.preset.adapt(&mut claims, answer);
        let checked = claims.check()?;
        let gives_out = |domain: &str| self.preset.gives_out(&claims, domain);
        let identity = Identity {
            issuer: id_token.iss,
            subject,
            is_authoritative: checked
                .email
                .as_ref()
                .is_some_and(|it| gives_out(it.domain())),
            email: checked.email.map(|address| address.as_str().to_owned()),
            email_verified: checked.email_verified,
            name: checked.name,
            profile: Map::new(),
            metadata: Map::new(),
        };
        Ok(Confirmed {
            identity,
            stated,
            claims,
        })
    }

    /// The code in the callback. The issuer is compared first: the rest may be another's.
    fn code<'a>(&self, answer: &'a Answer, metadata: &Metadata) -> Result<&'a str, Refusal> {
        match answer.iss.as_deref() {
            Some(issuer) if !self.issuer.is(issuer) => return Err(Refusal::IssuerMismatch),
            None if metadata.sends_issuer => return Err(Refusal::IssuerMismatch),
            _ => {}
        }
        answer.code(|error| self.preset.is_cancelled(error))
    }

    /// What the token endpoint replies to a code.
    async fn present(
        &self,
        code: &str,
        flow: &Flow,
        metadata: &Metadata,
    ) -> Result<Reply, Refusal> {
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", self.callback.clone()),
            ("code_verifier", flow.verifier.clone()),
        ];
        let id = &self.settings.client_id;
        let secret = self.secret()?;
        let authorization = match metadata.authentication {
            ClientAuthentication::Basic => Some(basic(id, &secret)),
            ClientAuthentication::Post => {
                form.push(("client_id", id.clone()));
                form.push(("client_secret", secret));
                None
            }
        };
        let url = &metadata.token_endpoint;
        self.client.post(url, authorization, form).await
    }

    /// Exchanges the code for tokens.
    async fn exchange(
        &self,
        code: &str,
        flow: &Flow,
        metadata: &Metadata,
    ) -> Result<TokenReply, Refusal> {
        let reply = self.present(code, flow, metadata).await?;
        match reply.status {
            200 => json(&reply),
            400..=499 => match json::<TokenRefusal>(&reply) {
                Ok(TokenRefusal { error }) if error == "invalid_grant" => Err(Refusal::CodeRefused),
                refused => {
                    let error = refused.map(|refusal| refusal.error).unwrap_or_default();
                    note_refused_client(&self.issuer.url, &error);
                    Err(Refusal::ClientRefused)
                }
            },
            _ => Err(Refusal::ReplyInvalid),
        }
    }

    /// Checks what the provider states, and whether it accepts this server.
    async fn examine(&self) -> Vec<Finding> {
        let mut findings = Findings::default();
        inspect(&self.settings, &self.issuer, &self.client, &mut findings).await;
        if let Ok(metadata) = self.discovery.metadata(&self.client).await
            && let Ok(flow) = Flow::for_inspection()
            && let Ok(reply) = self.present(MADE_UP, &flow, &metadata).await
        {
            let refusal = json::<TokenRefusal>(&reply).ok();
            findings.client(refusal.as_ref().map(|refusal| &*refusal.error));
        }
        findings.0
    }

    fn secret(&self) -> Result<String, Refusal> {
        let configured = self.settings.client_secret.as_ref().map(Secret::expose);
        let made = self.preset.client_secret(self.client.clock.now());
        made.unwrap_or_else(|| Ok(configured.unwrap_or_default().to_owned()))
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
            // The provider may have new keys, with new ids or without any.
            Err(JwsError::UnknownKey | JwsError::Signature) => {
                let keys = self.discovery.keys(&self.client, metadata, true).await?;
                token.verify(&keys)?
            }
            verified => verified?,
        };
        let expected = Expected {
            issuer: &self.issuer,
            client_id: &self.settings.client_id,
            nonce: &flow.nonce,
            access_token: &tokens.access_token,
            now: self.client.clock.now(),
        };
        IdToken::read(&payload, token.algorithm, &expected)
    }
}

impl Connector for Oidc {
    fn authorization_url<'a>(&'a self, flow: &'a Flow, state: &'a str) -> Asked<'a, Url> {
        Box::pin(self.find_authorization_url(flow, state))
    }

    fn confirm<'a>(&'a self, flow: &'a Flow, answer: &'a Answer) -> Asked<'a, Confirmed> {
        Box::pin(self.find_user(flow, answer))
    }

    fn answers_by_form(&self) -> bool {
        self.preset.answers_by_form()
    }

    fn inspect<'a>(&'a self) -> Pin<Box<dyn Future<Output = Vec<Finding>> + 'a>> {
        Box::pin(self.examine())
    }
}

/// HTTP Basic with both parts encoded as in a form (RFC 6749, 2.3.1).
fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(id), encode(secret));
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}
