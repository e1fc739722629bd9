//! Which pages may call from a browser, by actix-cors.

use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};

use super::request_id::X_REQUEST_ID;
use crate::config;
use crate::http::auth::credential::X_API_KEY;

/// Exact origins. `config` refuses a wildcard with credentials.
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
        .expose_headers([LOCATION, X_REQUEST_ID, RETRY_AFTER, WWW_AUTHENTICATE])
        .max_age(usize::try_from(settings.max_age.as_secs()).unwrap_or(usize::MAX));
    let cors = settings
        .origins
        .iter()
        .fold(cors, |cors, origin| match origin.as_str() {
            "*" => cors.allow_any_origin().send_wildcard(),
            exact => cors.allowed_origin(exact),
        });
    if settings.credentials {
        cors.supports_credentials()
    } else {
        cors
    }
}
