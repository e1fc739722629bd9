//! Access and refresh tokens: issuing, refreshing, revoking and introspecting them, and the keys that verify them.

mod introspect;
mod issue;
mod jwks;
mod presented_token;
mod refresh;
mod reply;
mod revoke;

use self::introspect::Introspection;
use self::reply::Tokens;
use crate::crypto::jwt::JwkSet;
use crate::http::error_codes::{
    EMAIL_UNCONFIRMED, FORBIDDEN, INVALID_API_KEY, INVALID_CREDENTIALS, INVALID_GRANT,
    INVALID_SCOPE, INVALID_TARGET, SECOND_FACTOR_ENROLMENT_REQUIRED, SECOND_FACTOR_REQUIRED,
    TOKEN_EXPIRED, TOKEN_INVALID,
};
use crate::http::{Access, Message, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/tokens", Access::Public, issue::create)
            .operation("createTokens", "Create an access token and a refresh token")
            .description(
                "For email address and password, or for the session of the request. With the session cookie there is no \
                 refresh token, because scripts could read it. A user with a second factor signs in first, with both, and sends the session.",
            )
            .returns::<Tokens>(200, "The tokens")
            .errors(&[INVALID_SCOPE, INVALID_TARGET, INVALID_CREDENTIALS, TOKEN_INVALID, TOKEN_EXPIRED])
            .errors(&[SECOND_FACTOR_REQUIRED, SECOND_FACTOR_ENROLMENT_REQUIRED])
            .errors(&[INVALID_API_KEY, FORBIDDEN, EMAIL_UNCONFIRMED])
            .rate_limited(),
        Route::post("/v1/tokens/refresh", Access::Public, refresh::create)
            .operation("refreshTokens", "Refresh an access token")
            .description(
                "Exchanges the refresh token for a new pair. Within 10 seconds the same one returns the same pair again; \
                 later its session ends, because the token may have been stolen.",
            )
            .returns::<Tokens>(200, "The new tokens")
            .errors(&[INVALID_GRANT])
            .rate_limited(),
        Route::post("/v1/tokens/revoke", Access::Public, revoke::create)
            .operation("revokeToken", "Revoke a token (RFC 7009)")
            .returns::<Message>(200, "Token is revoked or was never valid"),
        Route::post("/v1/introspect", Access::ApiKey("introspect"), introspect::create)
            .operation("introspect", "Introspect a token (RFC 7662)")
            .description("The key of a user sees that user's tokens, the key of a service all.")
            .returns::<Introspection>(200, "State of the token"),
        Route::get("/.well-known/jwks.json", Access::Public, jwks::index)
            .operation("listKeys", "List the keys that verify access tokens (RFC 7517)")
            .returns_as::<JwkSet>("application/jwk-set+json", 200, "The keys")
            .returns_no_body(304, "Unchanged since `If-None-Match`"),
    ]
}
