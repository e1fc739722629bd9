//! The languages that a client asks for, for mails that its request causes.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::ACCEPT_LANGUAGE;
use actix_web::{FromRequest, HttpRequest};

use crate::domain::Locale;
use crate::domain::error::{Error, Result};
use crate::http::inputs::Input;

/// From `Accept-Language`, the preferred first. A header that cannot be read is none.
#[derive(Debug)]
pub struct Languages(pub Vec<Locale>);

impl FromRequest for Languages {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = request.headers().get(ACCEPT_LANGUAGE);
        let text = header.and_then(|header| header.to_str().ok());
        ready(Ok(Self(text.map(Locale::preferences).unwrap_or_default())))
    }
}

impl Input for Languages {}
