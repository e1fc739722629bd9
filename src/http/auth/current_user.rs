//! Who is signed in: extractors for handlers, in this server and in an app that embeds it.
//!
//! A protected route has been authenticated before its handler runs, and the extractors hand over what was found.
//! In a handler of an embedder's own, they authenticate themselves: taking a [`CurrentUser`] is the protection. An API
//! key or an access token is refused there: a handler that may serve machines takes a [`Caller`].

use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::caller::{self, Found};
use super::credential::Carrier;
use crate::accounts::standing::Credential;
use crate::context::{Change, Context};
use crate::crypto::token::TokenDigest;
use crate::domain::error::{Error, Result};
use crate::domain::{Session, User};
use crate::http::ClientInfo;

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

impl CurrentUser {
    /// Changes something as this user, if the session and its token still stand; see [`Caller::commit`].
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

impl Current {
    pub(super) fn credential(&self) -> Credential {
        Credential::Session {
            id: self.session.id,
            user: self.user.id,
            token: self.presented,
        }
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
