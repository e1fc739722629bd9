//! The cookie of a browser that asked for a mailed code: a link from such a mail signs in this browser and no other.
//!
//! # Threats
//! - a cookie planted by another host: see [`HostCookie`]
//! - a page that makes its visitors' browsers ask, to sign them in as someone else by a link of its own: the cookie is set
//!   for the application itself only
//! - scripts that read it: `HttpOnly`

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderValue;
use actix_web::{FromRequest, HttpRequest};

use super::cookie::HostCookie;
use crate::config::Settings;
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::TokenDigest;
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::MAIL_CODE_LIFETIME;
use crate::http::extract::client_info::context;
use crate::http::inputs::Input;

const COOKIE: HostCookie = HostCookie {
    host_bound: "__Host-cloakroom_code",
    plain: "cloakroom_code",
};

/// The well-formed token in the cookie, if there is one.
pub struct AskingBrowser(Option<PlainToken>);

impl AskingBrowser {
    /// The digest of the token.
    pub fn digest(&self) -> Option<TokenDigest> {
        self.0.as_ref().map(PlainToken::digest)
    }

    /// The token that it has, or a new one: the links of earlier mails sign in this browser too.
    pub fn or_new(self) -> Result<PlainToken> {
        match self.0 {
            Some(token) => Ok(token),
            None => PlainToken::generate(TokenKind::Browser),
        }
    }
}

impl FromRequest for AskingBrowser {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(context(request).map(|context| {
            let carried = COOKIE.value(request.headers(), &context.settings);
            Self(carried.and_then(|text| PlainToken::parse(TokenKind::Browser, text)))
        }))
    }
}

impl Input for AskingBrowser {}

/// `Set-Cookie` with a token, for as long as a mailed code is valid.
///
/// # Errors
/// Never for a token of ours, which is plain text.
pub fn set(settings: &Settings, token: &PlainToken) -> Result<HeaderValue> {
    COOKIE.set(settings, token.reveal(), MAIL_CODE_LIFETIME)
}
