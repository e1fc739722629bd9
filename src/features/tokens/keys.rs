//! The keys that verify access tokens, as a JSON Web Key Set (RFC 7517).

use actix_web::HttpResponse;

use crate::error::{Error, Result};

pub(super) async fn index() -> Result<HttpResponse> {
    Err(Error::internal("not built yet"))
}
