//! Who is signed in: extractors for handlers, in this server and in an app that embeds it.
//!
//! A protected route has been authenticated before its handler runs, and the extractors hand over what was found.
//! In a handler of an embedder's own, they authenticate themselves: taking a [`CurrentUser`] is the protection. An API
//! key or an access token is refused there: a handler that may serve machines takes a [`Caller`](super::caller::Caller).

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

/// The signed-in user.
#[derive(Clone, Debug)]
pub struct CurrentUser(Rc<Current>);

/// The session that the request came with.
#[derive(Clone, Debug)]
pub struct CurrentSession(Rc<Current>);

impl CurrentUser {
    /// Changes something as this user, if the session and its token still stand; see [`Caller::commit`](super::caller::Caller::commit).
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] when they do not, and those of [`Context::commit`].
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
    /// The session and the credential that a change rests on.
    pub fn standing(&self) -> (Credential, &Session) {
        (self.0.credential(), &self.0.session)
    }

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
