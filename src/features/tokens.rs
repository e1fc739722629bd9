//! Access and refresh tokens: given for a password or a session, renewed, revoked, looked into, and the keys that verify
//! them.

mod introspect;
mod issue;
mod jwks;
mod presented_token;
mod refresh;
mod reply;
mod revoke;

use actix_web::http::Method;

use crate::http::Routes;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .public(Method::POST, "/v1/tokens", issue::create)
        .public(Method::POST, "/v1/tokens/refresh", refresh::create)
        .public(Method::POST, "/v1/tokens/revoke", revoke::create)
        .by_key(
            Method::POST,
            "/v1/introspect",
            "introspect",
            introspect::create,
        )
        .public(Method::GET, "/.well-known/jwks.json", jwks::index);
}
