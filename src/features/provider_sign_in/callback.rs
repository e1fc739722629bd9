//! `GET /v1/session/identity/{provider}/callback`: the browser comes back from a provider. From one that answers in a form
//! it comes by `POST`, from a page of the provider.
//!
//! # Threats
//! - a callback of another browser: the cookie is compared here, and again when the code is exchanged. A browser sends no
//!   `SameSite=Lax` cookie with a form of another site, so a form is compared at the exchange only, as an app's sign-in is:
//!   the exchange code that another browser gets is of no use to it

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::audit::Event;
use crate::context::Context;
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::ClientInfo;
use crate::domain::error::{Error, Result};
use crate::http::auth::browser_cookie;
use crate::http::{Body, Query};
use crate::providers::{Answer, OpenedState, Provider, Refusal, STATE_LIFETIME};
use crate::store::provider_sign_ins::{self, ProviderSignIn};
use crate::store::revocations;

/// How long an exchange code is valid.
pub(super) const CODE_LIFETIME: Duration = Duration::from_secs(60);

pub(super) async fn show(
    context: web::Data<Context>,
    client: ClientInfo,
    request: HttpRequest,
    name: web::Path<String>,
    Query(input): Query<CallbackInput>,
) -> Result<HttpResponse> {
    let provider = context.providers.find(&name).ok_or(Error::NotFound)?;
    let browser = browser_cookie::value(request.headers(), &context.settings);
    let arrival = Arrival::Query(browser);
    let state = input.state.as_deref().unwrap_or_default();
    finish(&context, &client, provider, arrival, state, &input.answer()).await
}

pub(super) async fn receive(
    context: web::Data<Context>,
    client: ClientInfo,
    name: web::Path<String>,
    Body(input): Body<CallbackForm>,
) -> Result<HttpResponse> {
    let provider = context.providers.find(&name);
    let provider = provider.filter(|provider| provider.answers_by_form());
    let provider = provider.ok_or(Error::NotFound)?;
    let state = input.state.as_deref().unwrap_or_default();
    let answer = input.answer();
    finish(&context, &client, provider, Arrival::Form, state, &answer).await
}

/// How a browser comes back.
enum Arrival<'a> {
    /// With what the provider added to the address, and with the value of its cookie.
    Query(Option<&'a str>),
    /// With a form, and without a cookie.
    Form,
}

async fn finish(
    context: &web::Data<Context>,
    client: &ClientInfo,
    provider: &Provider,
    arrival: Arrival<'_>,
    state: &str,
    answer: &Answer,
) -> Result<HttpResponse> {
    let opened = OpenedState::open(&context.key_ring, state, context.clock.now());
    let Some(opened) = opened else {
        let reason = "state_invalid";
        context.refused(client, Event::ProviderSignInRefused { reason });
        return Err(Error::StateInvalid);
    };
    let returned = Returned {
        context,
        provider,
        arrival,
        opened: &opened,
    };
    let fragment = match returned.exchange_code(client, answer).await {
        Ok(code) => format!("exchange_code={}", code.reveal()),
        Err(refusal) => {
            let reason = refusal.code();
            context.refused(client, Event::ProviderSignInRefused { reason });
            format!("error={reason}")
        }
    };
    let location = format!("{}#{fragment}", opened.flow.redirect_to);
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, location))
        .finish())
}

/// A browser that came back with a `state` of ours.
struct Returned<'a> {
    context: &'a web::Data<Context>,
    provider: &'a Provider,
    arrival: Arrival<'a>,
    opened: &'a OpenedState,
}

impl Returned<'_> {
    /// A new exchange code for the identity that the provider confirms.
    async fn exchange_code(
        &self,
        client: &ClientInfo,
        answer: &Answer,
    ) -> Result<PlainToken, Refusal> {
        let flow = &self.opened.flow;
        if flow.provider != self.provider.name {
            return Err(Refusal::ProviderMismatch);
        }
        let may_be_the_one = match self.arrival {
            Arrival::Query(cookie) => {
                flow.bound_to.is_app() || cookie.is_some_and(|it| flow.bound_to.is_browser(it))
            }
            Arrival::Form => true,
        };
        if !may_be_the_one {
            return Err(Refusal::BrowserMismatch);
        }
        if self.context.clock.now() >= self.opened.expires_at {
            return Err(Refusal::StateExpired);
        }
        if !self.use_state(client).await.map_err(refusal)? {
            return Err(Refusal::StateUsed);
        }
        let identity = self.provider.identity(flow, answer).await?;
        let confirmed = ProviderSignIn {
            provider: self.provider.name.clone(),
            bound_to: flow.bound_to.as_str().to_owned(),
            identity: serde_json::to_string(&identity).map_err(|_| Refusal::Internal)?,
        };
        self.store(client, confirmed).await.map_err(refusal)
    }

    /// Uses up the `state`; `false` if it was used before.
    async fn use_state(&self, client: &ClientInfo) -> Result<bool> {
        let (context, digest) = (self.context, self.opened.digest());
        let limit = context.throttle.provider_callback(client.ip);
        context.admit(client, vec![limit]).await?;
        // The row holds the code too, which may be made in the last moment.
        let expires_at = self.opened.expires_at + CODE_LIFETIME;
        let issued_at = self.opened.expires_at - STATE_LIFETIME;
        let claim = context.commit(client, move |change| {
            // After a restore it is not known which of the earlier ones were used.
            Ok(!revocations::covers_all(change, issued_at)?
                && provider_sign_ins::claim(change, &digest, expires_at)?)
        });
        claim.await
    }

    async fn store(&self, client: &ClientInfo, confirmed: ProviderSignIn) -> Result<PlainToken> {
        let code = PlainToken::generate(TokenKind::ExchangeCode)?;
        let (state, digest) = (self.opened.digest(), code.digest());
        let expires_at = self.context.clock.now() + CODE_LIFETIME;
        let store = self.context.commit(client, move |change| {
            provider_sign_ins::confirm(change, &state, &digest, &confirmed, expires_at)
        });
        store.await?;
        Ok(code)
    }
}

/// A failure of the server, for the page.
fn refusal(failure: Error) -> Refusal {
    match failure {
        Error::RateLimited(_) => Refusal::RateLimited,
        failure => {
            tracing::error!(%failure, "a sign-in by a provider failed");
            Refusal::Internal
        }
    }
}

/// What a provider adds to the callback.
#[derive(Deserialize, IntoParams)]
pub(super) struct CallbackInput {
    /// As it was in `authorization_url`.
    state: Option<String>,
    /// The authorization code.
    code: Option<String>,
    /// The issuer (RFC 9207).
    iss: Option<String>,
    /// Why there is no code (RFC 6749, 4.1.2.1).
    error: Option<String>,
}

impl CallbackInput {
    fn answer(&self) -> Answer {
        Answer {
            code: self.code.clone(),
            iss: self.iss.clone(),
            error: self.error.clone(),
            user: None,
        }
    }
}

/// What a provider puts into its form.
#[derive(Deserialize, ToSchema)]
#[schema(as = ProviderForm)]
pub(super) struct CallbackForm {
    /// As it was in `authorization_url`.
    #[schema(nullable = false)]
    state: Option<String>,
    /// The authorization code.
    #[schema(nullable = false)]
    code: Option<String>,
    /// The issuer (RFC 9207).
    #[schema(nullable = false)]
    iss: Option<String>,
    /// Why there is no code (RFC 6749, 4.1.2.1).
    #[schema(nullable = false)]
    error: Option<String>,
    /// The user in JSON, at the first sign-in by Apple.
    #[schema(nullable = false)]
    user: Option<String>,
}

impl CallbackForm {
    fn answer(&self) -> Answer {
        Answer {
            code: self.code.clone(),
            iss: self.iss.clone(),
            error: self.error.clone(),
            user: self.user.clone(),
        }
    }
}
