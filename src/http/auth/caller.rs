//! Verifies the credential of a request and extracts its caller, for handlers that accept every kind of credential, in this
//! server and in an embedding app.
//!
//! # Threats
//! - scope escalation: API keys and access tokens are limited to handlers that require one of their scopes, and are
//!   refused where a session is required
//! - a credential revoked while the body is read: every write verifies it again inside its transaction
//! - a response that reveals why a key is refused: unknown, expired and revoked keys get the same one

use std::borrow::Cow;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::Either;

use super::credential::{self, Carrier};
use super::{cookie, same_origin};
use crate::accounts::standing::{Credential, are_of_access_token, use_session};
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::access_token::VerifiedAccessToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::scope::Scopes;
use crate::domain::{
    ApiKey, AuthMethods, ClientInfo, CredentialKind, Session, SessionId, TokenDigest, User, UserId,
};
use crate::http::extract::client_info;
use crate::http::inputs::Input;
use crate::store::{api_keys, sessions};

/// The refusal of API keys and access tokens where a session is required.
pub(in crate::http) const NEEDS_SESSION: Error =
    Error::Forbidden("This needs a session, not an API key or access token");

/// The caller, with any valid credential. A handler with this argument accepts API keys and access tokens of any scope,
/// unless it calls [`Caller::require`].
///
/// On Cloakroom's routes the guard has verified the credential before the handler runs. In an embedder's handler this
/// extractor does: requests without a valid credential are refused.
#[derive(Clone, Debug)]
pub struct Caller(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Session(Rc<Current>),
    ApiKey(Rc<Key>),
    Access(Arc<VerifiedAccessToken>),
}

/// A valid API key and its user; a key of a service has none.
#[derive(Debug)]
struct Key {
    key: ApiKey,
    user: Option<User>,
}

/// A valid session and its user.
#[derive(Debug)]
pub struct Current {
    /// The user.
    pub user: User,
    /// The session.
    pub session: Session,
    /// The digest of the presented token: a rotation may replace it before a write.
    pub presented: TokenDigest,
    /// How the token was carried.
    pub carrier: Carrier,
}

impl Current {
    pub(super) fn credential(&self) -> Credential {
        Credential::Session {
            id: self.session.id,
            user: self.user.id,
            token: self.presented,
        }
    }
}

pub(in crate::http) type Found<T> =
    Either<Ready<Result<T>>, Pin<Box<dyn Future<Output = Result<T>>>>>;

/// The caller, if this request has been authenticated.
pub(in crate::http) fn known(request: &HttpRequest) -> Option<Caller> {
    request.extensions().get::<Caller>().cloned()
}

/// The caller as `read` converts it, authenticated now unless the request was before.
pub(in crate::http) fn find<T: 'static>(
    request: &HttpRequest,
    read: fn(Caller) -> Result<T>,
) -> Found<T> {
    match known(request) {
        Some(caller) => Either::Left(ready(read(caller))),
        None => {
            let request = request.clone();
            Either::Right(Box::pin(
                async move { identify(&request).await.and_then(read) },
            ))
        }
    }
}

pub(in crate::http) async fn identify(request: &HttpRequest) -> Result<Caller> {
    identify_by(request, credential::presented).await
}

/// As [`identify`], by a credential that `read` finds in the headers and the cookie of a name.
pub(super) async fn identify_by(
    request: &HttpRequest,
    read: for<'a> fn(&'a HeaderMap, &str) -> Result<Option<credential::Credential<'a>>>,
) -> Result<Caller> {
    let context = client_info::context(request)?;
    // Not in a guard alone: an embedder's own handlers need it as well.
    check_cookie(request)?;
    let cookie = cookie::name(&context.settings);
    let presented = read(request.headers(), cookie).inspect_err(|refusal| {
        // The kind of a malformed credential is unknown, unless it was sent as an API key.
        if matches!(refusal, Error::InvalidApiKey) {
            note_refusal(request, CredentialKind::ApiKey, refusal);
        }
    });
    let presented = presented?.ok_or(Error::Unauthorized)?;
    let credential = presented.kind();
    let found = open(context, presented).await;
    let caller = Caller(found.inspect_err(|refusal| note_refusal(request, credential, refusal))?);
    request.extensions_mut().insert(caller.clone());
    Ok(caller)
}

async fn open(context: &Context, presented: credential::Credential<'_>) -> Result<Kind> {
    let now = context.clock.now();
    Ok(match presented {
        credential::Credential::Session { token, carrier } => Kind::Session(Rc::new(
            resume(context, token.digest(), carrier, now).await?,
        )),
        credential::Credential::ApiKey { token } => {
            Kind::ApiKey(Rc::new(look_up(context, token.digest(), now).await?))
        }
        credential::Credential::Access { text } => {
            Kind::Access(context.verify_access_token(text, now).await?)
        }
    })
}

/// Refuses and records cross-origin requests that carry the session cookie.
pub(in crate::http) fn check_cookie(request: &HttpRequest) -> Result<()> {
    let context = client_info::context(request)?;
    record(
        request,
        context,
        same_origin::check_cookie(request, &context.settings),
    )
}

/// Refuses and records requests to public routes from pages of other applications.
pub(in crate::http) fn check_page(request: &HttpRequest) -> Result<()> {
    let context = client_info::context(request)?;
    record(
        request,
        context,
        same_origin::check_page(request, &context.settings),
    )
}

fn record(request: &HttpRequest, context: &Context, checked: Result<()>) -> Result<()> {
    if let Err(Error::CrossOrigin) = checked {
        context.refused(&ClientInfo::of(request)?, Event::CrossOriginRefused);
    }
    checked
}

fn note_refusal(request: &HttpRequest, credential: CredentialKind, refusal: &Error) {
    if let (Error::TokenInvalid | Error::InvalidApiKey, Ok(client), Ok(context)) = (
        refusal,
        ClientInfo::of(request),
        client_info::context(request),
    ) {
        let credential = credential.as_str();
        context.refused(&client, Event::CredentialRefused { credential });
    }
}

async fn resume(
    context: &Context,
    presented: TokenDigest,
    carrier: Carrier,
    now: Timestamp,
) -> Result<Current> {
    let found = context
        .database
        .look_up(sessions::by_digest(presented))
        .await?;
    let (session, user) = found.ok_or(Error::TokenInvalid)?;
    use_session(context, &session, &user, now)?;
    Ok(Current {
        user,
        session,
        presented,
        carrier,
    })
}

async fn look_up(context: &Context, presented: TokenDigest, now: Timestamp) -> Result<Key> {
    let found = context
        .database
        .look_up(api_keys::by_digest(presented))
        .await?;
    let live = found.filter(|(key, user)| key.is_live(user.as_ref(), now));
    let (key, user) = live.ok_or(Error::InvalidApiKey)?;
    context.activity.note_key(&key, now);
    Ok(Key { key, user })
}

impl Caller {
    /// The session and its user, if the credential is a session.
    pub(in crate::http) fn into_session(self) -> Result<Rc<Current>> {
        match self.0 {
            Kind::Session(current) => Ok(current),
            _ => Err(NEEDS_SESSION),
        }
    }

    /// The kind of the credential.
    pub fn kind(&self) -> CredentialKind {
        match &self.0 {
            Kind::Session(_) => CredentialKind::Session,
            Kind::ApiKey(_) => CredentialKind::ApiKey,
            Kind::Access(_) => CredentialKind::AccessToken,
        }
    }

    /// The user; `None` for a key of a service.
    pub fn user_id(&self) -> Option<UserId> {
        match &self.0 {
            Kind::Session(current) => Some(current.user.id),
            Kind::ApiKey(found) => found.key.user_id,
            Kind::Access(claims) => Some(claims.user_id),
        }
    }

    pub(in crate::http) fn credential(&self) -> Credential {
        match &self.0 {
            Kind::Session(current) => current.credential(),
            Kind::ApiKey(found) => Credential::ApiKey(found.key.id),
            Kind::Access(claims) => Credential::AccessToken(Arc::clone(claims)),
        }
    }

    /// The session; `None` for an API key.
    pub fn session_id(&self) -> Option<SessionId> {
        match &self.0 {
            Kind::Session(current) => Some(current.session.id),
            Kind::ApiKey(_) => None,
            Kind::Access(claims) => Some(claims.session_id),
        }
    }

    /// The scopes; `None` for a session, which is not restricted.
    pub fn scopes(&self) -> Option<&Scopes> {
        match &self.0 {
            Kind::Session(_) => None,
            Kind::ApiKey(found) => Some(&found.key.scopes),
            Kind::Access(claims) => Some(&claims.scopes),
        }
    }

    /// How the user authenticated, and when; `None` for an API key.
    pub fn authentication(&self) -> Option<(&AuthMethods, Timestamp)> {
        match &self.0 {
            Kind::Session(current) => {
                let session = &current.session;
                Some((&session.auth_methods, session.authenticated_at))
            }
            Kind::ApiKey(_) => None,
            Kind::Access(claims) => Some((&claims.auth_methods, claims.authenticated_at())),
        }
    }

    /// The API key, if that is the credential.
    pub fn api_key(&self) -> Option<&ApiKey> {
        match &self.0 {
            Kind::ApiKey(found) => Some(&found.key),
            _ => None,
        }
    }

    /// The access token, if that is the credential.
    pub fn access_token(&self) -> Option<&VerifiedAccessToken> {
        match &self.0 {
            Kind::Access(claims) => Some(claims),
            _ => None,
        }
    }

    /// The owner of what this caller creates and may read.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a key of a service, which owns nothing.
    pub fn owner(&self) -> Result<UserId> {
        self.user_id()
            .ok_or(Error::Forbidden("This route needs a user-owned key"))
    }

    /// Refuses an API key or access token without this scope.
    ///
    /// # Errors
    /// [`Error::InsufficientScope`].
    pub fn require(&self, scope: &str) -> Result<()> {
        match self.scopes() {
            Some(scopes) if !scopes.has(scope) => Err(match Scopes::parse(scope) {
                Some(demanded) => Error::InsufficientScope(demanded),
                None => Error::internal("a handler requires a malformed scope"),
            }),
            _ => Ok(()),
        }
    }

    /// Refuses an API key or access token that lacks one of these scopes.
    ///
    /// # Errors
    /// [`Error::InsufficientScope`], with all required scopes.
    pub fn require_all(&self, demanded: &Scopes) -> Result<()> {
        match self.scopes() {
            Some(scopes) if !scopes.holds(demanded) => {
                Err(Error::InsufficientScope(demanded.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The user. For an access token this reads the database.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a key of a service, [`Error::TokenInvalid`] if the session or the user of an access token
    /// was deleted, and those of reading the database.
    pub async fn user(&self, context: &Context) -> Result<Cow<'_, User>> {
        match &self.0 {
            Kind::Session(current) => Ok(Cow::Borrowed(&current.user)),
            Kind::ApiKey(found) => {
                self.owner()?;
                found
                    .user
                    .as_ref()
                    .map(Cow::Borrowed)
                    .ok_or(Error::InvalidApiKey)
            }
            Kind::Access(claims) => Ok(Cow::Owned(account_of(claims, context).await?.1)),
        }
    }

    /// The session; `None` for an API key. For an access token this reads the database.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] if the session or the user of an access token was deleted, and those of reading the
    /// database.
    pub async fn session(&self, context: &Context) -> Result<Option<Cow<'_, Session>>> {
        match &self.0 {
            Kind::Session(current) => Ok(Some(Cow::Borrowed(&current.session))),
            Kind::ApiKey(_) => Ok(None),
            Kind::Access(claims) => Ok(Some(Cow::Owned(account_of(claims, context).await?.0))),
        }
    }

    /// Commits a change as this caller, if the credential is still valid: it may have been revoked while the body was read.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] or [`Error::InvalidApiKey`] if it is not, and those of [`Context::commit`].
    pub async fn commit<T, F>(
        &self,
        context: &Arc<Context>,
        client: &ClientInfo,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Change<'_>) -> Result<T> + Send + 'static,
    {
        self.credential().commit(context, client, work).await
    }
}

async fn account_of(
    claims: &Arc<VerifiedAccessToken>,
    context: &Context,
) -> Result<(Session, User)> {
    let found = context
        .database
        .look_up(sessions::by_id(claims.session_id))
        .await?;
    found
        .filter(|found| are_of_access_token(found, claims))
        .ok_or(Error::TokenInvalid)
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Found<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        find(request, Ok)
    }
}

impl Input for Caller {}
