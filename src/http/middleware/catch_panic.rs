//! A net under panics: the connection goes on, and the caller gets a 500 like any other.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use futures_util::FutureExt;

use crate::domain::error::Error;

/// Catches a panic in what it wraps.
pub struct CatchPanic<S> {
    pub(in crate::http) service: S,
}

impl<S, B> Service<ServiceRequest> for CatchPanic<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    S::Future: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>>>>;

    fn poll_ready(&self, task: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(task)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let reply = AssertUnwindSafe(self.service.call(request)).catch_unwind();
        Box::pin(async move {
            reply
                .await
                .unwrap_or_else(|_| Err(Error::internal("a handler panicked").into()))
        })
    }
}
