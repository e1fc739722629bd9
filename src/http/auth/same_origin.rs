//! Whether the application itself sent a browser's request. Browsers add the cookie to requests of every page, so a request
//! that can change something must show its origin: by `Sec-Fetch-Site`, which no page can write, or else by `Origin`.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, ORIGIN};

use super::{cookie, credential};
use crate::config::Settings;
use crate::domain::error::{Error, Result};

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

/// Whether it changes nothing. A proxy asks about a request by `GET` and names its method in a header, which is trusted
/// from any client: it can only make the check stricter.
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

/// Refuses a request that can change something and carries the session's cookie, well-formed or not, without a credential
/// in a header, unless the application itself sent it.
///
/// # Errors
/// [`Error::CrossOrigin`], and [`Error::Malformed`] for two cookies.
pub(in crate::http) fn check(request: &HttpRequest, settings: &Settings) -> Result<()> {
    let headers = request.headers();
    if credential::decides_alone(headers) {
        return Ok(());
    }
    let cookie = cookie::carried(headers, cookie::name(settings))?;
    match cookie.is_none() || is_harmless(request) || proves_same_origin(headers, settings) {
        true => Ok(()),
        false => Err(Error::CrossOrigin),
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
