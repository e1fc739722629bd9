//! A new pair for a refresh token, which is spent.

use actix_web::HttpResponse;

use crate::error::{Error, Result};

pub(super) async fn create() -> Result<HttpResponse> {
    Err(Error::internal("not built yet"))
}
