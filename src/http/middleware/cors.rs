//! Which pages may call from a browser, by actix-cors, and why a preflight was refused.
//!
//! # Threats
//! - a route that answers every method: its `OPTIONS` requests are no preflights and need a credential too

use std::rc::Rc;

use actix_cors::{Cors, CorsError};
use actix_service::Service;
use actix_service::boxed::RcService;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION,
    CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, ORIGIN, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use actix_web::middleware::Next;

use super::outcome::{Outcome, map_head};
use super::request_id::{self, X_REQUEST_ID};
use crate::config;
use crate::domain::error::Error;
use crate::http::auth::credential::X_API_KEY;

/// As actix-cors names them.
const VARYING: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
/// How much of a header a log line repeats.
const LOGGED_CHARACTERS: usize = 200;

/// The layer. `config` refuses `"*"` with credentials.
pub(in crate::http) fn cors(settings: &config::Cors) -> Cors {
    let cors = Cors::default()
        .allowed_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::HEAD,
        ])
        .allowed_headers([ACCEPT, AUTHORIZATION, CONTENT_TYPE, X_API_KEY, X_REQUEST_ID])
        .allowed_headers(&settings.request_headers)
        .expose_headers([LOCATION, X_REQUEST_ID, RETRY_AFTER, WWW_AUTHENTICATE])
        .max_age(usize::try_from(settings.max_age.as_secs()).unwrap_or(usize::MAX));
    let cors = match settings.allows_any() {
        true => cors.allow_any_origin().send_wildcard(),
        false => {
            let settings = settings.clone();
            cors.allowed_origin_fn(move |origin, _| {
                origin.to_str().is_ok_and(|origin| settings.lists(origin))
            })
        }
    };
    if settings.credentials {
        cors.supports_credentials()
    } else {
        cors
    }
}

/// Hides the mark of a preflight from the CORS layer on paths that answer every method themselves.
pub(super) async fn skip<B>(
    paths: Rc<[String]>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Outcome<B> {
    if request.method() == Method::OPTIONS && paths.iter().any(|path| path == request.path()) {
        request.headers_mut().remove(ACCESS_CONTROL_REQUEST_METHOD);
    }
    next.call(request).await
}

/// Takes requests with an `Origin` and preflights through the CORS layer, and others to the service behind it: only pages
/// read what the layer adds, except for `Vary`, which keeps caches from mixing the responses.
///
/// Replaces the response to a refused preflight by one that states the reason. The log has it too, because browsers show
/// it nowhere.
pub(super) async fn admit<B: MessageBody + 'static>(
    behind: RcService<ServiceRequest, ServiceResponse<B>, actix_web::Error>,
    request: ServiceRequest,
    cors: Next<impl MessageBody + 'static>,
) -> Outcome<BoxBody> {
    if !request.headers().contains_key(ORIGIN) && request.method() != Method::OPTIONS {
        let outcome = behind.call(request).await;
        let outcome = outcome.map(ServiceResponse::map_into_boxed_body);
        return map_head(outcome, |head| {
            let headers = HeaderValue::from_static(VARYING);
            head.headers_mut().append(VARY, headers);
        });
    }
    let reply = cors.call(request).await?.map_into_boxed_body();
    let refusal = reply
        .response()
        .error()
        .and_then(|failure| failure.as_error::<CorsError>());
    let (reason, advice) = match refusal {
        None => return Ok(reply),
        Some(CorsError::OriginNotAllowed | CorsError::MissingOrigin) => (
            "This origin may not call: it is not in `cors.origins`",
            "list the origin in cors.origins if it is yours",
        ),
        Some(CorsError::HeadersNotAllowed | CorsError::BadRequestHeaders) => (
            "A request header may not be sent from other origins: it is not in `cors.request_headers`",
            "list the header in cors.request_headers if your pages need it",
        ),
        Some(_) => (
            "This method may not be called from other origins",
            "no route has the method",
        ),
    };
    let (request, _) = reply.into_parts();
    let named = |name: HeaderName| {
        let value = request.headers().get(name).map(|value| value.as_bytes());
        let text = String::from_utf8_lossy(value.unwrap_or_default());
        text.chars().take(LOGGED_CHARACTERS).collect::<String>()
    };
    tracing::warn!(
        request_id = &*request_id::of(&request),
        origin = ?named(ORIGIN),
        method = ?named(ACCESS_CONTROL_REQUEST_METHOD),
        headers = ?named(ACCESS_CONTROL_REQUEST_HEADERS),
        "refused a CORS preflight: {advice}"
    );
    Ok(ServiceResponse::from_err(Error::Malformed(reason), request))
}
