//! Gives each request an id, in the log and in `X-Request-Id`: that of a trusted proxy, so that both logs agree, or a
//! random one.
//!
//! # Threats
//! - log forging: an id of a proxy is accepted only if it consists of letters, digits and `-_.`

use std::rc::Rc;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};

use super::outcome::{Outcome, map_head};
use crate::context::Context;
use crate::crypto::token::fill_random;
use crate::http::extract::client_info::{self, RequestId};

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_LENGTH: usize = 64;

pub(super) async fn assign<B>(
    context: web::Data<Context>,
    request: ServiceRequest,
    next: Next<B>,
) -> Outcome<B> {
    client_info::warn_of_unknown_proxy(&request, &context);
    let id: Rc<str> = given(&request, &context).unwrap_or_else(random).into();
    request.extensions_mut().insert(RequestId(Rc::clone(&id)));
    map_head(next.call(request).await, move |head| {
        if let Ok(id) = HeaderValue::from_str(&id) {
            head.headers_mut().insert(X_REQUEST_ID, id);
        }
    })
}

/// The id of this request.
pub(super) fn of(request: &HttpRequest) -> Rc<str> {
    let extensions = request.extensions();
    let id = extensions.get::<RequestId>();
    id.map_or_else(|| "".into(), |id| Rc::clone(&id.0))
}

fn given(request: &ServiceRequest, context: &Context) -> Option<String> {
    let peer = request.peer_addr()?;
    if !client_info::is_trusted(peer.ip(), &context.settings.server.trusted_proxies) {
        return None;
    }
    let id = request.headers().get(X_REQUEST_ID)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_usable = (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(is_plain);
    is_usable.then(|| id.to_owned())
}

fn random() -> String {
    let mut bytes = [0; 16];
    // An id is no secret: if the generator fails, the request gets id zero.
    let _ = fill_random(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}
