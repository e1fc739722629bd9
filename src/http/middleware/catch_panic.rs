//! Turns a panic in a handler into a 500 response, so that the connection and its other requests go on.

use std::panic::AssertUnwindSafe;

use actix_web::dev::ServiceRequest;
use actix_web::middleware::Next;
use futures_util::FutureExt;

use super::outcome::Outcome;
use crate::domain::error::Error;

pub(super) async fn catch<B>(request: ServiceRequest, next: Next<B>) -> Outcome<B> {
    AssertUnwindSafe(async { next.call(request).await })
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(Error::internal("a handler panicked").into()))
}
