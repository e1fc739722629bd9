//! A pair of tokens for a password, or for the session that is presented.

use actix_web::HttpResponse;

use crate::error::{Error, Result};

pub(super) async fn create() -> Result<HttpResponse> {
    Err(Error::internal("not built yet"))
}
