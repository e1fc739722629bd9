//! Calls to one provider, with a queue and a circuit breaker of their own.
//!
//! # Threats
//! - endpoints in the internal network that a discovery document names: only the host that the settings name may be in a
//!   network of `outbound.private_networks`
//! - clients that hang up before a hanging provider is noticed: the thread that asks notes the outcome
//! - a client that provokes errors of the provider: only a provider that does not answer is spared, not one that answers
//!   with an error

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use url::{Host, Url};

use super::refusal::Refusal;
use crate::config;
use crate::domain::clock::Clock;
use crate::metrics::Counters;
use crate::outbound::{self, Breaker, Note, Outbound, Queue, Reach, Reply, Request};

/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(5);

pub(super) struct Client {
    pub clock: Clock,
    settings: config::Outbound,
    /// That the settings name.
    host: Option<Host<String>>,
    queue: Queue,
    breaker: Arc<Breaker>,
}

/// What is counted of the calls to a provider.
pub struct CallFigures {
    clock: Clock,
    outcomes: Arc<Counters>,
    breaker: Arc<Breaker>,
}

impl CallFigures {
    /// How calls ended, since the start.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.outcomes.get()
    }

    /// How many hosts of the provider are not asked for a while.
    pub fn resting_hosts(&self) -> usize {
        self.breaker.resting(self.clock.monotonic())
    }
}

impl Client {
    /// For calls to the provider at this URL, and to what it names.
    pub(super) fn new(
        settings: &config::Outbound,
        outbound: &Outbound,
        issuer: &Url,
        clock: &Clock,
    ) -> Self {
        Self {
            clock: clock.clone(),
            settings: settings.clone(),
            host: issuer.host().map(|host| host.to_owned()),
            queue: outbound.queue(),
            breaker: Arc::default(),
        }
    }

    /// What is counted of its calls.
    pub(super) fn figures(&self) -> CallFigures {
        CallFigures {
            clock: self.clock.clone(),
            outcomes: self.queue.outcomes(),
            breaker: Arc::clone(&self.breaker),
        }
    }

    /// A URL that the provider names, if a call to it could succeed. A fragment reaches no server.
    pub(super) fn endpoint(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let is_usable = matches!(url.scheme(), "https" | "http")
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && outbound::check(&self.settings, self.reach(&url), &url).is_ok();
        is_usable.then_some(url)
    }

    fn reach(&self, url: &Url) -> Reach {
        let host = url.host().map(|host| host.to_owned());
        match host.is_some() && host == self.host {
            true => Reach::Listed,
            false => Reach::Public,
        }
    }

    /// The JSON of a successful reply to `GET`.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        url: &Url,
        bearer: Option<&str>,
    ) -> Result<T, Refusal> {
        let authorization = bearer.map(authorization).transpose()?;
        let reply = self.send(url, authorization, None).await?;
        match reply.status {
            200 => json(&reply),
            _ => Err(Refusal::ReplyInvalid),
        }
    }

    /// The same; `None` if the token has no right to it.
    pub(super) async fn get_if_allowed<T: DeserializeOwned>(
        &self,
        url: &Url,
        bearer: &str,
    ) -> Result<Option<T>, Refusal> {
        let reply = self.send(url, Some(authorization(bearer)?), None).await?;
        match reply.status {
            200 => json(&reply).map(Some),
            403 | 404 => Ok(None),
            _ => Err(Refusal::ReplyInvalid),
        }
    }

    /// The status of the reply to `GET` without a token.
    pub(super) async fn status(&self, url: &Url) -> Result<u16, Refusal> {
        Ok(self.send(url, None, None).await?.status)
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
            reach: self.reach(url),
            headers: accept.into_iter().chain(authorization).collect(),
            form,
            deadline: DEADLINE,
            note: Some(self.note(&host)),
        };
        let outcome = self.queue.send(request).await;
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

    fn note(&self, host: &str) -> Note {
        let (breaker, clock) = (Arc::clone(&self.breaker), self.clock.clone());
        let host = host.to_owned();
        Box::new(move |answered| breaker.note(&host, answered, clock.monotonic()))
    }
}

/// The header for a token, which a provider may have made of anything.
fn authorization(token: &str) -> Result<(&'static str, String), Refusal> {
    match token.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(("Authorization", format!("Bearer {token}"))),
        false => Err(Refusal::ReplyInvalid),
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

/// Logs that a provider refuses this server, with the error that it reports.
pub(super) fn note_refused_client(issuer: &str, error: &str) {
    let error: String = error
        .chars()
        .filter(char::is_ascii_graphic)
        .take(64)
        .collect();
    tracing::warn!(
        issuer,
        error,
        "a provider does not accept client_id and client_secret"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_no_header_can_hold_is_refused() {
        let (_, header) = authorization("a.b-c_d~e+f/g=").unwrap();
        assert_eq!(header, "Bearer a.b-c_d~e+f/g=");
        for token in ["a\r\nX: y", "a b", "ä", "a\0"] {
            assert_eq!(authorization(token).err(), Some(Refusal::ReplyInvalid));
        }
    }
}
