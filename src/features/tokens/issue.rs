//! A pair of tokens for a password, or for the session that is presented.
//!
//! Fears: a second way to guess passwords (it is the way of `POST /v1/session`, counted with it); a narrow credential
//! that makes itself a wide one (neither an API key nor an access token gets any); a script that reads what only a
//! cookie should carry (by cookie there is no refresh token: the page asks again with its cookie); a session that gives
//! tokens after its end (its token is asked for once more in the transaction); one who fills the list of access tokens
//! that ended (so many an hour are given to a user: none can be ended that was not made).

use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use super::reply::{Pair, TokenLifetimes, Validity};
use std::sync::Arc;

use crate::accounts::password_sign_in::{PasswordSignIn, SignedIn};
use crate::audit::Event;
use crate::config::Settings;
use crate::context::{Change, Context};
use crate::crypto::access_token::generate_jti;
use crate::crypto::token::{PlainToken, TokenDigest, TokenKind};
use crate::domain::Session;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::scope::Scopes;
use crate::http::{Carrier, ClientInfo, CurrentSession, CurrentUser, Input};
use crate::store::refresh_tokens::{self, NewRefresh};
use crate::store::sessions;

/// Families that a session may have: one for each program that shares it, and some that were lost.
const MAX_FAMILIES: u32 = 10;

pub(super) async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    request: HttpRequest,
    input: Input,
) -> Result<HttpResponse> {
    let scopes = wanted(&context.settings, &input)?;
    // What stands in the body is meant: a session that comes along is then the caller's last one.
    if input.has("email_address") || input.has("password") {
        return by_password(&context, &client, &input, scopes).await;
    }
    match CurrentSession::extract(&request).await {
        Ok(session) => {
            let user = CurrentUser::extract(&request).await?;
            by_session(&context, client, user, session, scopes).await
        }
        Err(Error::Unauthorized) => by_password(&context, &client, &input, scopes).await,
        Err(refusal) => Err(refusal),
    }
}

async fn by_password(
    context: &Arc<Context>,
    client: &ClientInfo,
    input: &Input,
    scopes: Scopes,
) -> Result<HttpResponse> {
    let mut invalid = ValidationErrors::default();
    let address = input.text("email_address", &mut invalid);
    let password = input.text("password", &mut invalid);
    let remember = input.flag("remember", &mut invalid);
    invalid.into_result()?;
    let form = PasswordSignIn::new(
        address.unwrap_or_default(),
        password.unwrap_or_default(),
        remember,
    );
    let refresh = PlainToken::generate(TokenKind::Refresh)?;
    let grant = Grant::new(&context.settings, Some(&refresh), scopes.clone());
    let also = move |change: &Change<'_>, session: &Session, now| grant.write(change, session, now);
    let signed_in = form.start_session(context, client, also).await?;
    let SignedIn {
        session,
        made: term,
        ..
    } = signed_in;
    Pair {
        session: &session,
        scopes: &scopes,
        jti: &generate_jti()?,
        term,
        refresh: Some(&refresh),
    }
    .reply(context)
}

async fn by_session(
    context: &Arc<Context>,
    client: ClientInfo,
    user: CurrentUser,
    session: CurrentSession,
    scopes: Scopes,
) -> Result<HttpResponse> {
    let refresh = match session.carrier() {
        Carrier::Bearer => Some(PlainToken::generate(TokenKind::Refresh)?),
        Carrier::Cookie => None,
    };
    let grant = Grant::new(&context.settings, refresh.as_ref(), scopes.clone());
    let (now, row) = (context.clock.now(), Session::clone(&session));
    let (throttle, limit) = (context.throttle.clone(), context.throttle.tokens(user.id));
    let granted = user.commit(context, &client, move |change| {
        match throttle.refusal(change, &limit, now)? {
            Some(throttled) => Ok(Err(throttled)),
            None => grant.write(change, &row, now).map(Ok),
        }
    });
    let term = granted
        .await?
        .map_err(|throttled| context.throttled(&client, throttled))?;
    Pair {
        session: &session,
        scopes: &scopes,
        jti: &generate_jti()?,
        term,
        refresh: refresh.as_ref(),
    }
    .reply(context)
}

/// What is written for a pair.
#[derive(Clone)]
struct Grant {
    /// Digests of the refresh token and its family, where there is to be one.
    refresh: Option<(TokenDigest, TokenDigest)>,
    scopes: Scopes,
    lifetimes: TokenLifetimes,
}

impl Grant {
    fn new(settings: &Settings, refresh: Option<&PlainToken>, scopes: Scopes) -> Self {
        let refresh = refresh.map(|token| (token.digest(), token.family()));
        Self {
            refresh,
            scopes,
            lifetimes: TokenLifetimes::of(settings),
        }
    }

    fn write(&self, change: &Change<'_>, session: &Session, now: Timestamp) -> Result<Validity> {
        let term = self.lifetimes.term(session, now);
        if let Some((token_digest, family_digest)) = self.refresh {
            let (scopes, expires_at) = (&self.scopes, session.expires_at);
            let new = NewRefresh {
                family_digest,
                token_digest,
                scopes,
                expires_at,
            };
            refresh_tokens::insert(change, session.id, &new, now)?;
            refresh_tokens::delete_beyond(change, session.id, MAX_FAMILIES)?;
        }
        sessions::note_access(change, session.id, term.expires_at, now)?;
        change.record(Event::TokensIssued {
            user: session.user_id,
            session: session.id,
        });
        Ok(term)
    }
}

/// What the tokens are to be good for: less than all there is to give when `scope` says so.
fn wanted(settings: &Settings, input: &Input) -> Result<Scopes> {
    let mut invalid = ValidationErrors::default();
    let written = input.text("scope", &mut invalid).unwrap_or_default();
    invalid.into_result()?;
    let most = &settings.tokens.scopes;
    match Scopes::parse(written) {
        Some(none) if none.is_empty() => Ok(most.clone()),
        Some(wanted) if most.holds(&wanted) => Ok(wanted),
        _ => Err(Error::InvalidScope),
    }
}
