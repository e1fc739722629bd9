//! Checks which page sent a browser's request: by `Sec-Fetch-Site`, which no page can write, or else by `Origin`.
//!
//! # Threats
//! - requests of other pages, to which browsers add the cookie: requests that can change state must come from the
//!   application itself or a listed page
//! - WebSocket handshakes, which browsers send by `GET` with the cookie and without a preflight: they count as requests
//!   that can change state, and so do those that a proxy describes
//! - reads by other pages: a foreign `Origin` is refused whatever the method
//! - a proxy that verifies a `POST` by a `GET`: the method in `X-Forwarded-Method` is checked too. Any client may send
//!   this header, because it can only make the check stricter
//! - pages that make their visitors' browsers post to public routes, to use up limits or to guess passwords from many
//!   networks: refused before anything is counted

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, ORIGIN, UPGRADE};

use super::{cookie, credential};
use crate::config::Settings;
use crate::domain::error::{Error, Result};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
/// What the headers of a WebSocket handshake start with. Proxies drop `Upgrade`, but forward these.
const WEBSOCKET: &str = "sec-websocket-";

/// Whether the request comes from the application itself or a listed page. Pages on other hosts of the same site also need
/// `cors.credentials`. Browsers without `Sec-Fetch-Site` do not tell them apart from listed pages of other sites.
pub fn proves_same_origin(headers: &HeaderMap, settings: &Settings) -> bool {
    match site(headers) {
        Page::OfSameOrigin => true,
        Page::OfSameSite => settings.cors.credentials && is_listed(origin(headers), settings),
        Page::Unknown => is_own(origin(headers), settings) || is_listed(origin(headers), settings),
        Page::Other => false,
    }
}

/// Refuses a request that carries the session cookie, well-formed or not, without a credential in a header, and that
/// another page may have sent.
///
/// # Errors
/// [`Error::CrossOrigin`], and [`Error::Malformed`] for two cookies.
pub(in crate::http) fn check_cookie(request: &HttpRequest, settings: &Settings) -> Result<()> {
    let headers = request.headers();
    if credential::decides_alone(headers) {
        return Ok(());
    }
    let cookie = cookie::carried(headers, cookie::name(settings))?;
    let is_read = || is_harmless(request) && !has_foreign_origin(headers, settings);
    match cookie.is_none() || is_read() || proves_same_origin(headers, settings) {
        true => Ok(()),
        false => Err(Error::CrossOrigin),
    }
}

/// Refuses a request to a public route that a page of another application sent. A credential in a header shows that CORS
/// has admitted the page.
///
/// # Errors
/// [`Error::CrossOrigin`].
pub(in crate::http) fn check_page(request: &HttpRequest, settings: &Settings) -> Result<()> {
    let headers = request.headers();
    if credential::decides_alone(headers) || settings.cors.allows_any() {
        return Ok(());
    }
    let origin = origin(headers);
    let is_known = is_listed(origin, settings) || is_front_end(origin, settings);
    let is_foreign = match site(headers) {
        Page::OfSameOrigin => false,
        _ if is_cross_site(headers) => !is_known,
        _ => headers.contains_key(ORIGIN) && !is_known && !is_own(origin, settings),
    };
    match is_foreign {
        false => Ok(()),
        true => Err(Error::CrossOrigin),
    }
}

/// What `Sec-Fetch-Site` reports about the page.
enum Page {
    OfSameOrigin,
    OfSameSite,
    /// The browser does not send the header.
    Unknown,
    /// Cross-site, no page at all, or a malformed or repeated header.
    Other,
}

fn site(headers: &HeaderMap) -> Page {
    let mut lines = headers.get_all(SEC_FETCH_SITE).map(|line| line.as_bytes());
    match (lines.next(), lines.next()) {
        (None, _) => Page::Unknown,
        (Some(b"same-origin"), None) => Page::OfSameOrigin,
        (Some(b"same-site"), None) => Page::OfSameSite,
        _ => Page::Other,
    }
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    headers
        .get_all(SEC_FETCH_SITE)
        .any(|line| line.as_bytes() == b"cross-site")
}

/// Whether the request, and the one that a proxy describes by it, only read.
fn is_harmless(request: &HttpRequest) -> bool {
    let only_reads = |method: &[u8]| {
        [Method::GET, Method::HEAD, Method::OPTIONS]
            .iter()
            .any(|one| one.as_str().as_bytes() == method)
    };
    let headers = request.headers();
    only_reads(request.method().as_str().as_bytes())
        && headers
            .get_all(X_FORWARDED_METHOD)
            .all(|line| only_reads(line.as_bytes()))
        && !is_websocket_handshake(headers)
}

fn is_websocket_handshake(headers: &HeaderMap) -> bool {
    let upgrades = |line: &[u8]| {
        line.to_ascii_lowercase()
            .windows(9)
            .any(|it| it == b"websocket")
    };
    headers
        .get_all(UPGRADE)
        .any(|line| upgrades(line.as_bytes()))
        || headers
            .get_all(SEC_FETCH_MODE)
            .any(|mode| mode.as_bytes() == b"websocket")
        || headers
            .keys()
            .any(|name| name.as_str().starts_with(WEBSOCKET))
}

fn has_foreign_origin(headers: &HeaderMap, settings: &Settings) -> bool {
    let origin = origin(headers);
    headers.contains_key(ORIGIN) && !is_own(origin, settings) && !is_listed(origin, settings)
}

/// The only `Origin`, unless it is opaque or a pattern.
fn origin(headers: &HeaderMap) -> Option<&str> {
    let mut origins = headers.get_all(ORIGIN);
    let origin = origins.next()?.to_str().ok()?;
    (origins.next().is_none() && origin != "null" && origin != "*").then_some(origin)
}

fn is_own(origin: Option<&str>, settings: &Settings) -> bool {
    origin.is_some_and(|origin| origin == settings.server.public_url.origin().ascii_serialization())
}

fn is_front_end(origin: Option<&str>, settings: &Settings) -> bool {
    let front_end = settings.server.frontend_url.origin();
    origin.is_some_and(|origin| origin == front_end.ascii_serialization())
}

fn is_listed(origin: Option<&str>, settings: &Settings) -> bool {
    origin.is_some_and(|origin| settings.cors.lists(origin))
}
