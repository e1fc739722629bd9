//! Calls to one provider, with threads and a circuit breaker of their own.

use std::time::Duration;

use serde::de::DeserializeOwned;
use url::Url;

use super::refusal::Refusal;
use crate::config;
use crate::domain::clock::Clock;
use crate::domain::error::Result;
use crate::outbound::{self, Breaker, Outbound, Reply, Request};

/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(5);

pub(super) struct Client {
    pub clock: Clock,
    settings: config::Outbound,
    outbound: Outbound,
    breaker: Breaker,
}

impl Client {
    /// # Errors
    /// The system has no thread left.
    pub(super) fn start(settings: &config::Outbound, clock: &Clock) -> Result<Self> {
        Ok(Self {
            clock: clock.clone(),
            settings: settings.clone(),
            outbound: Outbound::start(settings)?,
            breaker: Breaker::default(),
        })
    }

    /// A URL that the provider names, if a call to it could succeed. A fragment reaches no server.
    pub(super) fn endpoint(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let is_usable = matches!(url.scheme(), "https" | "http")
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && outbound::check(&self.settings, &url).is_ok();
        is_usable.then_some(url)
    }

    /// The JSON of a successful reply to `GET`.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        url: &Url,
        bearer: Option<&str>,
    ) -> Result<T, Refusal> {
        let authorization = bearer.map(|token| ("Authorization", format!("Bearer {token}")));
        let reply = self.send(url, authorization, None).await?;
        match reply.status {
            200 => json(&reply),
            _ => Err(Refusal::ReplyInvalid),
        }
    }

    /// The reply to a form, of any status but those of a provider that is down.
    pub(super) async fn post(
        &self,
        url: &Url,
        authorization: Option<String>,
        form: Vec<(&'static str, String)>,
    ) -> Result<Reply, Refusal> {
        let authorization = authorization.map(|value| ("Authorization", value));
        self.send(url, authorization, Some(form)).await
    }

    async fn send(
        &self,
        url: &Url,
        authorization: Option<(&'static str, String)>,
        form: Option<Vec<(&'static str, String)>>,
    ) -> Result<Reply, Refusal> {
        let host = url.origin().ascii_serialization();
        if !self.breaker.admits(&host, self.clock.monotonic()) {
            return Err(Refusal::ProviderUnavailable);
        }
        let accept = [("Accept", "application/json".to_owned())];
        let request = Request {
            url: url.clone(),
            headers: accept.into_iter().chain(authorization).collect(),
            form,
            deadline: DEADLINE,
        };
        let outcome = self.outbound.send(request).await;
        let answered = outcome.as_ref().is_ok_and(|reply| reply.status < 500);
        self.breaker.note(&host, answered, self.clock.monotonic());
        match outcome {
            Ok(reply) if reply.status < 500 && reply.status != 429 => Ok(reply),
            Ok(reply) => {
                tracing::warn!(host, status = reply.status, "a provider is not available");
                Err(Refusal::ProviderUnavailable)
            }
            Err(why) => {
                tracing::warn!(host, %why, "a provider does not answer");
                Err(Refusal::ProviderUnavailable)
            }
        }
    }
}

/// The body of a reply.
///
/// # Errors
/// [`Refusal::ReplyInvalid`]
pub(super) fn json<T: DeserializeOwned>(reply: &Reply) -> Result<T, Refusal> {
    let is_json = reply.media_type == "application/json" || reply.media_type.ends_with("+json");
    if !is_json {
        return Err(Refusal::ReplyInvalid);
    }
    serde_json::from_slice(&reply.body).map_err(|_| Refusal::ReplyInvalid)
}
