//! Whether the server lives (`/up`, as Rails has it) and whether it can do its work (`/ready`). Both are for load
//! balancers and monitors; they tell nothing that those need not know.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::context::Context;
use crate::domain::error::{Error, Result};
use crate::http::Routes;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .public(Method::GET, "/up", up)
        .public(Method::GET, "/ready", ready);
}

async fn up() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "up" }))
}

/// A write proves that writing works, and holds for a second, so that monitors cost no disk.
async fn ready(context: web::Data<Context>) -> Result<HttpResponse> {
    context
        .database
        .ready(context.clock.now())
        .await
        .map_err(|failure| match failure {
            Error::Unavailable {
                reason,
                retry_after,
            } => Error::NotReady {
                reason,
                retry_after,
            },
            other => other,
        })?;
    Ok(HttpResponse::Ok().json(json!({ "status": "ready" })))
}
