//! Runs before the handler of a route: authentication by the route's access, or, for public routes, the check of the
//! request's origin.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

use super::access::Access;
use super::caller::{
    Caller, NEEDS_SESSION, check_cookie, check_page, identify, identify_by, known,
};
use super::cookie;
use super::credential::{self, presented_or_basic};
use crate::audit::Event;
use crate::domain::error::{Error, Result};
use crate::domain::{ClientInfo, CredentialKind};
use crate::http::extract::client_info;

const SIGN_OUT: &str = "/v1/session";

/// Refuses callers without access to the route.
pub(in crate::http) async fn authenticate(
    access: Access,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let identified = match access {
        Access::ApiKey(_) => identify_by(request.request(), presented_or_basic).await,
        _ => identify(request.request()).await,
    };
    let admitted = identified.and_then(|caller| admit(&caller, access));
    let mut reply = match admitted {
        Ok(()) => next.call(request).await?,
        Err(refusal) => request.error_response(refusal),
    };
    let basic =
        matches!(access, Access::ApiKey(_)) && credential::is_basic(reply.request().headers());
    if basic && reply.status() == StatusCode::UNAUTHORIZED {
        // RFC 6749, 5.2: the challenge matches the scheme that the client used.
        let challenge = HeaderValue::from_static(r#"Basic realm="cloakroom""#);
        reply.headers_mut().append(WWW_AUTHENTICATE, challenge);
    }
    record_refused_access(&reply);
    if let Some(removal) = removes_cookie(&reply) {
        reply.headers_mut().append(SET_COOKIE, removal);
    }
    Ok(reply)
}

/// A sign-out removes the cookie even if its session has ended. Another refused request removes none: another tab may have
/// set a new one meanwhile, which the late reply would delete.
fn removes_cookie(reply: &ServiceResponse<BoxBody>) -> Option<HeaderValue> {
    let (request, headers) = (reply.request(), reply.request().headers());
    let refusal = reply.response().error()?.as_error::<Error>()?;
    let signs_out = matches!(refusal, Error::TokenInvalid | Error::TokenExpired)
        && request.method() == Method::DELETE
        && request.match_pattern()? == SIGN_OUT;
    let settings = &client_info::context(request).ok()?.settings;
    let by_cookie = !credential::decides_alone(headers)
        && matches!(
            cookie::carried(headers, cookie::name(settings)),
            Ok(Some(_))
        );
    (signs_out && by_cookie).then(|| cookie::cleared(settings).ok())?
}

/// Refuses requests of other pages on routes without authentication, before the handler counts them.
pub(in crate::http) async fn refuse_foreign_pages(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let request_head = request.request();
    match check_cookie(request_head).and_then(|()| check_page(request_head)) {
        Ok(()) => {
            let reply = next.call(request).await?.map_into_boxed_body();
            record_refused_access(&reply);
            Ok(reply)
        }
        Err(refusal) => Ok(request.error_response(refusal)),
    }
}

/// Records a 403 for a valid credential, by the guard or by a handler, and a 404 for an object that it named. Credentials
/// that are not valid and requests from other origins have events of their own.
fn record_refused_access(reply: &ServiceResponse<BoxBody>) {
    let refusal = reply.response().error();
    let refusal = refusal.and_then(|error| error.as_error::<Error>());
    let Some(Error::Forbidden(_) | Error::InsufficientScope(_) | Error::NotFound) = refusal else {
        return;
    };
    let is_not_found = matches!(refusal, Some(Error::NotFound));
    let request = reply.request();
    if let (Some(caller), Ok(client), Ok(context)) = (
        known(request),
        ClientInfo::of(request),
        client_info::context(request),
    ) {
        let (credential, user) = (caller.kind().as_str(), caller.user_id());
        let (session, key) = (caller.session_id(), caller.api_key().map(|key| key.id));
        let event = match is_not_found {
            true => Event::ObjectNotFound {
                credential,
                user,
                session,
                key,
            },
            false => Event::AccessRefused {
                credential,
                user,
                session,
                key,
            },
        };
        context.refused(&client, event);
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
