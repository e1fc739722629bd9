//! API keys: credentials of a user's own programs, made, listed, renamed and revoked.

use actix_web::HttpResponse;
use actix_web::http::Method;

use crate::error::{Error, Result};
use crate::http::Routes;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .protected(Method::GET, "/v1/api_keys", index)
        .protected(Method::POST, "/v1/api_keys", create)
        .protected(Method::PATCH, "/v1/api_keys/{id}", update)
        .protected(Method::DELETE, "/v1/api_keys/{id}", destroy);
}

async fn index() -> Result<HttpResponse> {
    Err(Error::internal("not built yet"))
}

async fn create() -> Result<HttpResponse> {
    Err(Error::internal("not built yet"))
}

async fn update() -> Result<HttpResponse> {
    Err(Error::internal("not built yet"))
}

async fn destroy() -> Result<HttpResponse> {
    Err(Error::internal("not built yet"))
}
