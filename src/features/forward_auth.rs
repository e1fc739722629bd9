//! Who a request comes from, for reverse proxies that ask before they pass it on: nginx's `auth_request`, the forward
//! auth of Caddy and Traefik. They ask by whatever method, and hand the headers of the answer to the service behind them.
//!
//! Fears: a header that the client wrote itself (all six are always there, empty where there is nothing to say: some
//! proxies hand on the client's own in the place of one that is absent); a line smuggled into a header (what is not
//! visible ASCII is a fault of ours and no answer); a demand that is misread as none (a proxy that demands what is not a
//! scope, or nothing, or by another name, is told so); an address that nobody has proved (whoever signs up writes it: whether it was confirmed stands
//! beside it); a page of another origin that acts by the cookie behind the proxy, which asks us by
//! `GET` (`http::origin` looks at the method that it tells).
//!
//! **A scope narrows a credential and never gives a right.** Whoever has an account can make a key with any scope, and a
//! session is its user and meets every demand: what somebody may do, the service decides by `X-User-Id`.

use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::context::Context;
use crate::domain::EmailAddress;
use crate::domain::error::{Error, Result};
use crate::domain::scope::Scopes;
use crate::http::extract::raw_query::Query;
use crate::http::{Caller, Routes};

const X_USER_ID: HeaderName = HeaderName::from_static("x-user-id");
const X_USER_EMAIL: HeaderName = HeaderName::from_static("x-user-email");
const X_USER_EMAIL_CONFIRMED: HeaderName = HeaderName::from_static("x-user-email-confirmed");
const X_CREDENTIAL: HeaderName = HeaderName::from_static("x-credential");
const X_SESSION_ID: HeaderName = HeaderName::from_static("x-session-id");
const X_SCOPES: HeaderName = HeaderName::from_static("x-scopes");

pub(super) fn routes(routes: &mut Routes) {
    routes.every_method("/v1/verify", show);
}

/// The body of the request is never read: proxies ask without it.
async fn show(
    context: web::Data<Context>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    if let Some(demanded) = demanded(request.query_string())? {
        caller.require_all(&demanded)?;
    }
    let (address, is_confirmed) = match address(&context, &caller).await? {
        Some((address, true)) => (Some(address), "true"),
        Some((address, false)) => (Some(address), "false"),
        None => (None, ""),
    };
    let scopes = caller.scopes().unwrap_or(&context.settings.tokens.scopes);
    Ok(HttpResponse::Ok()
        .insert_header((X_USER_ID, number(caller.user_id().map(|id| id.0))))
        .insert_header((
            X_USER_EMAIL,
            text(address.as_ref().map_or("", EmailAddress::as_str))?,
        ))
        .insert_header((
            X_USER_EMAIL_CONFIRMED,
            HeaderValue::from_static(is_confirmed),
        ))
        .insert_header((
            X_CREDENTIAL,
            HeaderValue::from_static(caller.kind().as_str()),
        ))
        .insert_header((X_SESSION_ID, number(caller.session_id().map(|id| id.0))))
        .insert_header((X_SCOPES, text(scopes.as_str())?))
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .body(r#"{"message":"Verified"}"#))
}

/// What `scope` in the query demands; a `+` is a space there.
fn demanded(query: &str) -> Result<Option<Scopes>> {
    if query.is_empty() {
        return Ok(None);
    }
    let query = Query::read(query)?;
    if query.names().any(|name| name != "scope") {
        return Err(Error::Malformed("This takes `scope` and nothing else"));
    }
    let Some(words) = query.one("scope")? else {
        return Ok(None);
    };
    let scopes = Scopes::parse(words).filter(|scopes| !scopes.is_empty());
    scopes
        .map(Some)
        .ok_or(Error::Malformed("The scope that is demanded is none"))
}

/// The address of the caller's user, if there is one, and whether it was proved to be theirs. It is no claim of an access
/// token, so that it is read, and believed for a second: verifying the same token again and again costs no more.
async fn address(context: &Context, caller: &Caller) -> Result<Option<(EmailAddress, bool)>> {
    if caller.user_id().is_none() {
        return Ok(None);
    }
    if let Some(fresh) = caller
        .access_token()
        .and_then(|claims| claims.cached_address(context.clock.monotonic()))
    {
        return Ok(Some(fresh));
    }
    let user = caller.user(context).await?;
    let (address, is_confirmed) = (
        user.email_address.clone(),
        user.email_confirmed_at.is_some(),
    );
    if let Some(claims) = caller.access_token() {
        claims.cache_address(address.clone(), is_confirmed, context.clock.monotonic());
    }
    Ok(Some((address, is_confirmed)))
}

fn number(id: Option<i64>) -> HeaderValue {
    id.map_or_else(|| HeaderValue::from_static(""), HeaderValue::from)
}

/// What another program may have written into the database can be anything.
fn text(value: &str) -> Result<HeaderValue> {
    let is_plain = value
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let plain = is_plain
        .then(|| HeaderValue::from_str(value).ok())
        .flatten();
    plain.ok_or_else(|| {
        Error::internal("the database holds an address or a scope that no header may carry")
    })
}
