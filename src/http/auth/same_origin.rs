//! Whether a browser sent a request for our own application. A cookie comes along whoever's page asks, so what can change
//! something must show where it came from: by `Sec-Fetch-Site`, which no page can write, or else by `Origin`.

use actix_web::HttpRequest;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, ORIGIN};
use actix_web::middleware::Next;

use super::{cookie, credential};
use crate::audit::Event;
use crate::config::Settings;
use crate::domain::error::{Error, Result};
use crate::http::ClientInfo;
use crate::http::extract::client_info;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");

/// Whether a browser says that our own application asks, or a page that the operator has listed. Another page of the
/// same site is believed only where `cors.credentials` lets it use cookies. A browser too old for `Sec-Fetch-Site` is
/// believed for every listed origin.
pub fn proves_same_origin(headers: &HeaderMap, settings: &Settings) -> bool {
    let mut sites = headers.get_all(SEC_FETCH_SITE);
    match (
        sites
            .next()
            .map(actix_web::http::header::HeaderValue::as_bytes),
        sites.next(),
    ) {
        (Some(b"same-origin"), None) => true,
        (Some(b"same-site"), None) => {
            settings.cors.credentials && is_listed(origin(headers), settings)
        }
        (None, _) => {
            let origin = origin(headers);
            is_own(origin, settings) || is_listed(origin, settings)
        }
        _ => false,
    }
}

/// Refuses, and logs, what can change something, unless our own application sent it.
fn require_same_origin(request: &HttpRequest) -> Result<()> {
    let context = client_info::context(request)?;
    if is_harmless(request) || proves_same_origin(request.headers(), &context.settings) {
        return Ok(());
    }
    context.refused(&ClientInfo::of(request)?, Event::CrossOriginRefused);
    Err(Error::CrossOrigin)
}

/// Whether it changes nothing. A proxy that asks us about a request does so by `GET` and tells that one's method, which
/// is believed of anybody: it can only make things stricter.
fn is_harmless(request: &HttpRequest) -> bool {
    let harmless = |method: &[u8]| {
        [Method::GET, Method::HEAD, Method::OPTIONS]
            .iter()
            .any(|one| one.as_str().as_bytes() == method)
    };
    harmless(request.method().as_str().as_bytes())
        && request
            .headers()
            .get_all(X_FORWARDED_METHOD)
            .all(|line| harmless(line.as_bytes()))
}

/// Checks the cookie on routes that ask nobody who they are.
pub(in crate::http) async fn refuse_foreign_cookie(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match check_cookie(request.request()) {
        Ok(()) => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body),
        Err(refusal) => Ok(request.error_response(refusal)),
    }
}

/// Refuses what can change something and carries our cookie, well-formed or not, and no credential in a header, unless
/// our own application sent it.
pub(in crate::http) fn check_cookie(request: &HttpRequest) -> Result<()> {
    let headers = request.headers();
    if credential::decides_alone(headers) {
        return Ok(());
    }
    match cookie::carried(
        headers,
        cookie::name(&client_info::context(request)?.settings.server),
    )? {
        Some(_) => require_same_origin(request),
        None => Ok(()),
    }
}

/// The one `Origin`, unless it is opaque or a pattern.
fn origin(headers: &HeaderMap) -> Option<&str> {
    let mut origins = headers.get_all(ORIGIN);
    let origin = origins.next()?.to_str().ok()?;
    (origins.next().is_none() && origin != "null" && origin != "*").then_some(origin)
}

fn is_own(origin: Option<&str>, settings: &Settings) -> bool {
    origin.is_some_and(|origin| origin == settings.server.public_url.origin().ascii_serialization())
}

fn is_listed(origin: Option<&str>, settings: &Settings) -> bool {
    origin.is_some_and(|origin| settings.cors.origins.iter().any(|listed| listed == origin))
}
