//! Who is asking: extractors for handlers, in this server and in an app that embeds it.
//!
//! A protected route has been authenticated before its handler runs, and the extractors hand over what was found.
//! In a handler of an embedder's own, they authenticate themselves: taking a [`CurrentUser`] is the protection.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::credential::{self, Credential};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{Session, User};
use crate::store::sessions;

/// The signed-in user.
#[derive(Clone, Debug)]
pub struct CurrentUser(pub User);

/// The session that the request came with.
#[derive(Clone, Debug)]
pub struct CurrentSession(pub Session);

/// What was found out about this request, kept with it.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub user: User,
    pub session: Session,
}

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

/// The current user and session: found before, or looked up now.
async fn resume(request: &HttpRequest) -> Result<Current> {
    if let Some(current) = request.extensions().get::<Current>() {
        return Ok(current.clone());
    }
    let context = request
        .app_data::<web::Data<Context>>()
        .ok_or_else(|| Error::internal("the app has no cloakroom context"))?;
    let Some(credential) = credential::presented(request.headers())? else {
        return Err(Error::Unauthorized);
    };
    let current = match credential {
        Credential::Session(token) => {
            let digest = token.digest();
            context
                .database
                .read(move |snapshot| sessions::find_by_digest(snapshot, &digest))
                .await?
        }
    };
    let Some((session, user)) = current.filter(|(_, user)| user.disabled_at.is_none()) else {
        return Err(Error::TokenInvalid);
    };
    let now = context.clock.now();
    let idle_since = context.activity.last_of(&session);
    if now >= session.expires_at || now >= idle_since + context.settings.session.idle_timeout {
        return Err(Error::TokenExpired);
    }
    context.activity.note(&session, now);
    let current = Current { user, session };
    request.extensions_mut().insert(current.clone());
    Ok(current)
}

impl Deref for CurrentUser {
    type Target = User;

    fn deref(&self) -> &User {
        &self.0
    }
}

impl Deref for CurrentSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl FromRequest for CurrentUser {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { resume(&request).await.map(|current| Self(current.user)) })
    }
}

impl FromRequest for CurrentSession {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { resume(&request).await.map(|current| Self(current.session)) })
    }
}
