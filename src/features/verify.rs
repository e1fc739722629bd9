//! Who a request comes from, for reverse proxies that ask before they pass it on.

use actix_web::HttpResponse;

use crate::error::{Error, Result};
use crate::http::Routes;

pub(super) fn routes(routes: &mut Routes) {
    routes.every_method("/v1/verify", show);
}

async fn show() -> Result<HttpResponse> {
    Err(Error::internal("not built yet"))
}
