//! The public keys that verify access tokens (RFC 7517), for services that ask us nothing else. They may keep them for
//! five minutes, and ask by the tag whether they are still these. Secrets (HS256) never stand among them.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::context::Context;
use crate::domain::error::Result;

/// `GET /.well-known/jwks.json`
pub(super) async fn index(
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (set, version) = context.access_tokens.jwks(context.clock.now())?;
    let tag = format!("\"{version}\"");
    let is_known = has(request.headers(), &tag);
    let mut reply = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    reply
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .insert_header((ETAG, tag));
    Ok(match is_known {
        true => reply.finish(),
        false => reply.content_type("application/jwk-set+json").body(set),
    })
}

/// Whether `If-None-Match` names this tag, or any (RFC 9110, 13.1.2: weakly compared).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers
        .get_all(IF_NONE_MATCH)
        .filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
