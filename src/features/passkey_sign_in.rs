//! Signing in by a passkey alone: `POST /v1/session/passkey`, after `POST /v1/session/passkey/options`. It counts as two
//! factors: the authenticator's key, and the PIN or fingerprint by which it verified the user.
//!
//! # Threats
//! - enumeration: the options are the same for every caller and name no credential; unknown, disabled and hidden unverified
//!   accounts and every fault of the response get one answer
//! - replay, and responses for other ceremonies: see [`accounts::passkeys`](crate::accounts::passkeys)
//! - a flood of options: they cost a signature and write nothing
//! - a flood of responses: limited by client, as other sign-ins; accepted ones, which are not, by user
//! - a page that signs its visitors in as someone else: a cookie is set only for the application itself

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::passkeys::{VerifiedAssertion, accept, verify_assertion};
use crate::accounts::password_sign_in::{is_hidden, lacks_verification};
use crate::accounts::start_session::{SessionDraft, SessionStart, StartedSession, start_session};
use crate::audit::Event;
use crate::config::Registration;
use crate::context::{Change, Context};
use crate::crypto::passkey_challenge::{Ceremony, Challenge};
use crate::crypto::token::PlainToken;
use crate::crypto::webauthn::AuthenticationResponse;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::{ClientInfo, Session, User};
use crate::http::error_codes::{EMAIL_UNCONFIRMED, PASSKEY_INVALID, PASSKEY_UNKNOWN};
use crate::http::passkey_options::RequestOptions;
use crate::http::session_reply::{SignedIn, Transport, carrier, respond_with_session};
use crate::http::{Access, Body, Route};
use crate::store::users;
use crate::throttle::{Admission, Throttle};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/session/passkey/options", Access::Public, start)
            .operation("startPasskeySignIn", "Start to use a passkey")
            .description(
                "Returns the options for `navigator.credentials.get`, also with conditional mediation. What the browser \
                 returns is used once within five minutes: to sign in, as a second factor, or to reauthenticate.",
            )
            .returns::<RequestOptions<'_>>(200, "Options for the browser, the same for every caller"),
        Route::post("/v1/session/passkey", Access::Public, create)
            .operation("signInWithPasskey", "Sign in with a passkey")
            .description(
                "Always starts a new session and ends the session of the request's cookie. A passkey is two factors, so no \
                 second one is due.",
            )
            .returns::<SignedIn<'_>>(200, "Session started")
            .errors(&[PASSKEY_INVALID, PASSKEY_UNKNOWN, EMAIL_UNCONFIRMED])
            .rate_limited(),
    ]
}

async fn start(context: web::Data<Context>) -> Result<HttpResponse> {
    let now = context.clock.now();
    let challenge = Challenge::issue(&context.key_ring, Ceremony::Assertion, now)?;
    Ok(HttpResponse::Ok().json(RequestOptions::new(&context, &challenge)?))
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    Body(input): Body<PasskeySignInInput>,
) -> Result<HttpResponse> {
    let carrier = carrier(&context, &client, input.transport)?;
    let blank = || ValidationErrors::field("credential", "can't be blank");
    let response = input.credential.as_ref().ok_or_else(blank)?;
    let limits = vec![context.throttle.sign_in(client.ip)];
    let admission = context.admit(&client, limits).await?;
    let form = (response, input.remember);
    let signed_in = sign_in(&context, &client, form, admission.clone());
    let (user, session, token) = context.counted(&admission, signed_in).await?;
    respond_with_session(
        HttpResponse::Ok(),
        &context,
        carrier,
        &token,
        &user,
        &session,
    )
}

async fn sign_in(
    context: &Arc<Context>,
    client: &ClientInfo,
    (response, remember): (&AuthenticationResponse, bool),
    admission: Admission,
) -> Result<(User, Session, PlainToken)> {
    let verified = verify_assertion(context, client, response).await?;
    let verified = verified.ok_or(Error::PasskeyInvalid)?;
    let now = context.clock.now();
    let (mut draft, token) = SessionDraft::new(context, client, remember, now)?;
    draft.look(context, verified.user, now).await?;
    let attempt = Attempt {
        verified,
        draft,
        admission,
        throttle: context.throttle.clone(),
        rules: context.settings.registration.clone(),
    };
    let finished = context.commit(client, move |change| attempt.finish(change, now));
    match finished.await? {
        Finished::SignedIn(started) => Ok((started.user, started.session, token)),
        Finished::Unverified => Err(Error::Unconfirmed),
        Finished::Refused => Err(Error::PasskeyInvalid),
    }
}

/// A sign-in whose response is verified.
struct Attempt {
    verified: VerifiedAssertion,
    draft: SessionDraft,
    admission: Admission,
    throttle: Throttle,
    rules: Registration,
}

/// What came of it.
enum Finished {
    SignedIn(Box<StartedSession>),
    /// The address must be verified first.
    Unverified,
    Refused,
}

impl Attempt {
    fn finish(&self, change: &Change<'_>, now: Timestamp) -> Result<Finished> {
        let Some(authentication) = accept(change, &self.throttle, &self.verified, now)? else {
            return Ok(Finished::Refused);
        };
        let user = authentication.user;
        let refused = || {
            change.record(Event::SignInFailed { user: Some(user) });
            Ok(Finished::Refused)
        };
        let account = users::find(change, user)?;
        let account = account.filter(|found| authentication.holds(found));
        let Some(account) = account.filter(|found| !is_hidden(&self.rules, found)) else {
            return refused();
        };
        if lacks_verification(&self.rules, &account) {
            change.record(Event::SignInUnverified { user });
            self.admission.give_back_after(change)?;
            return Ok(Finished::Unverified);
        }
        let start = start_session(change, &authentication, &self.draft, now)?;
        let SessionStart::Session(started) = start else {
            return refused();
        };
        started.record(change);
        self.admission.give_back_after(change)?;
        Ok(Finished::SignedIn(started))
    }
}

/// A passkey.
#[derive(Deserialize, ToSchema)]
struct PasskeySignInInput {
    /// What the browser returned for the options.
    #[schema(value_type = AuthenticationResponse)]
    credential: Option<AuthenticationResponse>,
    /// Requests the longer lifetime.
    #[schema(value_type = Option<bool>, nullable = false)]
    remember: bool,
    #[schema(inline, nullable = false)]
    transport: Option<Transport>,
}
