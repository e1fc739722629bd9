//! Who is asking: extractors for handlers, in this server and in an app that embeds it.
//!
//! A protected route has been authenticated before its handler runs, and the extractors hand over what was found.
//! In a handler of an embedder's own, they authenticate themselves: taking a [`CurrentUser`] is the protection.

use std::future::{Future, Ready, ready};
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::TryFutureExt;
use futures_util::future::{Either, MapOk};

use super::credential::{self, Carrier, Credential};
use super::{client, cookie, origin};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{Session, User};
use crate::store::{Transaction, sessions};
use crate::token::TokenDigest;

/// The signed-in user.
#[derive(Clone, Debug)]
pub struct CurrentUser(Rc<Current>);

/// The session that the request came with.
#[derive(Clone, Debug)]
pub struct CurrentSession(Rc<Current>);

/// What was found out about a request, kept with it.
#[derive(Debug)]
pub struct Current {
    /// Who asks.
    pub user: User,
    /// With which session.
    pub session: Session,
    /// By which of its tokens: it may have another by the time of a write.
    pub presented: TokenDigest,
    /// How it carried that token.
    pub carrier: Carrier,
}

type Found = Result<Rc<Current>>;
type FoundLater = Pin<Box<dyn Future<Output = Found>>>;

/// Answers 401 in the handler's place unless the request presents a live session.
pub(super) async fn require_session(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match resume(request.request()).await {
        Ok(_) => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
        Err(refusal) => Ok(request.error_response(refusal)),
    }
}

/// What is known of this request already.
pub(super) fn known(request: &HttpRequest) -> Option<Rc<Current>> {
    request.extensions().get::<Rc<Current>>().cloned()
}

/// The current user and session: known already, or looked up now.
fn find(request: &HttpRequest) -> Either<Ready<Found>, FoundLater> {
    match known(request) {
        Some(current) => Either::Left(ready(Ok(current))),
        None => {
            let request = request.clone();
            Either::Right(Box::pin(async move { resume(&request).await }))
        }
    }
}

async fn resume(request: &HttpRequest) -> Found {
    let context = client::context(request)?;
    // Here and not around our routes alone: an embedder's own handlers are as exposed.
    origin::check_cookie(request)?;
    let cookie = cookie::name(&context.settings.server);
    let Some(credential) = credential::presented(request.headers(), cookie)? else {
        return Err(Error::Unauthorized);
    };
    let Credential::Session { token, carrier } = credential;
    let presented = token.digest();
    let found = context.database.read(move |reader| sessions::find_by_digest(reader, &presented)).await?;
    let Some((session, user)) = found.filter(|(_, user)| user.disabled_at.is_none()) else {
        return Err(Error::TokenInvalid);
    };
    let now = context.clock.now();
    let idle_timeout = context.settings.session.idle_timeout;
    if now >= session.expires_at || !context.activity.note(&session, idle_timeout, now) {
        return Err(Error::TokenExpired);
    }
    let current = Rc::new(Current { user, session, presented, carrier });
    request.extensions_mut().insert(Rc::clone(&current));
    Ok(current)
}

impl CurrentUser {
    /// Writes on behalf of the request's session, if its token still opens it: reading a body takes time, and a session
    /// that ended or got another token meanwhile changes nothing any more.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] when it does not, and those of [`crate::store::Database::write`].
    pub async fn write<T, F>(&self, context: &Context, mut work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (session, presented) = (self.0.session.id, self.0.presented);
        let written =
            context.database.write(move |tx| match sessions::is_open_by(tx, session, &presented)? {
                true => work(tx).map(Some),
                false => Ok(None),
            });
        written.await?.ok_or(Error::TokenInvalid)
    }
}

impl CurrentSession {
    /// The digest of the token that the request came with.
    pub fn presented(&self) -> &TokenDigest {
        &self.0.presented
    }

    /// How the request carried that token; a reply that changes it goes the same way.
    pub fn carrier(&self) -> Carrier {
        self.0.carrier
    }
}

impl Deref for CurrentUser {
    type Target = User;

    fn deref(&self) -> &User {
        &self.0.user
    }
}

impl Deref for CurrentSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0.session
    }
}

impl FromRequest for CurrentUser {
    type Error = Error;
    type Future = MapOk<Either<Ready<Found>, FoundLater>, fn(Rc<Current>) -> Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        find(request).map_ok(Self)
    }
}

impl FromRequest for CurrentSession {
    type Error = Error;
    type Future = MapOk<Either<Ready<Found>, FoundLater>, fn(Rc<Current>) -> Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        find(request).map_ok(Self)
    }
}
