//! Adds the headers that keep responses from being rendered, embedded, sniffed or cached.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;

use super::outcome::{Outcome, map_head};
use crate::config;

const POLICY: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox";
/// Two years.
const HSTS: &str = "max-age=63072000";
const HSTS_SUBDOMAINS: &str = "max-age=63072000; includeSubDomains";
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// The value of `Strict-Transport-Security`, if clients reach the server by https.
pub(super) fn hsts(server: &config::Server) -> Option<&'static str> {
    match (server.is_plain(), server.hsts_subdomains) {
        (true, _) => None,
        (false, true) => Some(HSTS_SUBDOMAINS),
        (false, false) => Some(HSTS),
    }
}

pub(super) async fn add<B>(
    hsts: Option<&'static str>,
    request: ServiceRequest,
    next: Next<B>,
) -> Outcome<B> {
    map_head(next.call(request).await, move |head| {
        secure(head.headers_mut(), hsts);
    })
}

/// The second three stay as a handler sets them, for an embedder's pages.
fn secure(headers: &mut HeaderMap, hsts: Option<&'static str>) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        // Pages that CORS admits are not affected.
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if let Some(hsts) = hsts {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(hsts));
    }
}
