//! Whether the process is up (`/up`, as in Rails) and the server ready (`/ready`), for load balancers and monitors. Their
//! replies hold nothing else.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Context;
use crate::domain::error::{Error, Result};
use crate::http::Routes;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .public(Method::GET, "/up", up)
        .public(Method::GET, "/ready", ready);
}

async fn up() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "up" })
}

/// A write proves that the disk can be written to; its result is kept for a second, so that monitors cost no disk.
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
    Ok(HttpResponse::Ok().json(Health { status: "ready" }))
}

/// The state of the server.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `up` or `ready`.
    status: &'static str,
}
