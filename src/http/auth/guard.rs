//! Runs before the handler of a route: authentication by the route's access, or, for public routes, the check of the
//! request's origin.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use super::access::Access;
use super::caller::{Caller, NEEDS_SESSION, check_cookie, identify};
use crate::domain::CredentialKind;
use crate::domain::error::{Error, Result};

/// Refuses callers without access to the route.
pub(in crate::http) async fn authenticate(
    access: Access,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let admitted = identify(request.request())
        .await
        .and_then(|caller| admit(&caller, access));
    match admitted {
        Ok(()) => next.call(request).await,
        Err(refusal) => Ok(request.error_response(refusal)),
    }
}

/// Checks the cookie on routes without authentication.
pub(in crate::http) async fn refuse_foreign_cookie(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match check_cookie(request.request()) {
        Ok(()) => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body),
        Err(refusal) => Ok(request.error_response(refusal)),
    }
}

fn admit(caller: &Caller, access: Access) -> Result<()> {
    match (access, caller.kind()) {
        (Access::Public | Access::Credential, _) | (Access::Session, CredentialKind::Session) => {
            Ok(())
        }
        (Access::Session, _) => Err(NEEDS_SESSION),
        (Access::Scope(scope), _) | (Access::ApiKey(scope), CredentialKind::ApiKey) => {
            caller.require(scope)
        }
        (Access::ApiKey(_), _) => Err(Error::Forbidden("This needs an API key")),
    }
}
