//! Whether the process is up (`/up`, as in Rails) and the server ready (`/ready`), for load balancers and monitors. Their
//! replies hold nothing else.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Context;
use crate::domain::error::{Error, Result};
use crate::http::{Access, Failure, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/up", Access::Public, up)
            .operation("up", "Check that the process is up")
            .returns::<Health>(200, "Process is up"),
        Route::get("/ready", Access::Public, ready)
            .operation("ready", "Check that the server is ready")
            .returns::<Health>(200, "Database is writable")
            .returns::<Failure>(503, "Not ready; `code` is the reason, such as `disk_full`"),
    ]
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
