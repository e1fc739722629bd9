//! What a token says and whether it holds, for services that ask (RFC 7662).

use actix_web::HttpResponse;

use crate::error::{Error, Result};

pub(super) async fn create() -> Result<HttpResponse> {
    Err(Error::internal("not built yet"))
}
