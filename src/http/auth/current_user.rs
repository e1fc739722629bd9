//! Extractors of the signed-in user, for handlers in this server and in an embedding app.
//!
//! The guard of a protected route has authenticated the request before its handler runs. In an embedder's handler the
//! extractors authenticate it: a [`CurrentUser`] argument protects the handler. They refuse API keys and access tokens,
//! which [`Caller`](super::caller::Caller) accepts.

use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::caller::{self, Current, Found};
use super::credential::Carrier;
use crate::accounts::standing::Credential;
use crate::context::{Change, Context};
use crate::domain::error::{Error, Result};
use crate::domain::{ClientInfo, Session, TokenDigest, User};
use crate::http::inputs::Input;

/// The signed-in user.
#[derive(Clone, Debug)]
pub struct CurrentUser(Rc<Current>);

/// The session of the request.
#[derive(Clone, Debug)]
pub struct CurrentSession(Rc<Current>);

impl CurrentUser {
    /// Commits a change as this user, if the session and its token are still valid; see [`Caller::commit`](super::caller::Caller::commit).
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] if they are not, and those of [`Context::commit`].
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
        self.0.credential().commit(context, client, work).await
    }
}

impl CurrentSession {
    /// The session, and its credential for a change.
    pub fn standing(&self) -> (Credential, &Session) {
        (self.0.credential(), &self.0.session)
    }

    /// The digest of the presented token.
    pub fn presented(&self) -> &TokenDigest {
        &self.0.presented
    }

    /// How the token was carried; a new token is returned the same way.
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
    type Future = Found<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        caller::find(request, |caller| caller.into_session().map(Self))
    }
}

impl FromRequest for CurrentSession {
    type Error = Error;
    type Future = Found<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        caller::find(request, |caller| caller.into_session().map(Self))
    }
}

impl Input for CurrentUser {}
impl Input for CurrentSession {}
