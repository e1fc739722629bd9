//! Ending a token by presenting it (RFC 7009).

use actix_web::HttpResponse;

use crate::error::{Error, Result};

pub(super) async fn create() -> Result<HttpResponse> {
    Err(Error::internal("not built yet"))
}
