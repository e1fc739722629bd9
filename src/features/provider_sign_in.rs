//! Signing in by other providers: `POST /v1/session/identity/{provider}` sends the browser there, the callback takes it back,
//! and `POST /v1/session/exchange` starts the session. What of a provider's reply counts is in
//! [`providers`](crate::providers), whose account it is in [`accounts::identity_sign_in`](crate::accounts::identity_sign_in).
//!
//! # Threats
//! - a sign-in of the attacker's in the victim's browser (login CSRF), or the victim's in the attacker's: `state` and code
//!   are bound to the browser by a cookie, or to the app by its challenge
//! - a session in the address of a page: the page gets a code that works once, within a minute, for that browser or app; it
//!   stands in the fragment, which reaches no server and no log
//! - a page of others that receives it (open redirect): only listed pages, also for errors
//! - a flood of sign-ins that are started: limited by network, and none is stored before the browser returns
//! - a mailed link that finishes the linking: see [`accounts::identity_link`](crate::accounts::identity_link)
//! - a provider that hangs: its threads are its own, and other ways to sign in go on

mod callback;
mod exchange;
mod identities;
mod identity_link;
mod provider_list;
mod start;

use crate::http::error_codes::{
    ACCOUNT_EXISTS, ADDRESS_UNVERIFIED, EMAIL_UNCONFIRMED, EXCHANGE_CODE_INVALID, FORBIDDEN,
    IDENTITY_TAKEN, INVALID_REQUEST, LAST_SIGN_IN_METHOD, LINK_INVALID, NOT_FOUND,
    PROVIDER_UNAVAILABLE, SECOND_FACTOR_ENROLMENT_REQUIRED, SECOND_FACTOR_REQUIRED, STATE_INVALID,
    TOO_MANY_IDENTITIES,
};
use crate::http::session_reply::SignedIn;
use crate::http::{Access, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/providers", Access::Public, provider_list::index)
            .operation("listProviders", "List the providers by which users sign in")
            .returns::<provider_list::ProviderList>(200, "The providers"),
        Route::post("/v1/session/identity/{provider}", Access::Public, start::create)
            .operation("startProviderSignIn", "Start a sign-in by another provider")
            .description(
                "Send the browser to `authorization_url` within ten minutes. A page of the application's own sends the request \
                 with credentials: the reply sets a cookie that binds the sign-in to the browser. An app, or a page of another \
                 site, sends `code_challenge` instead, and its verifier with the exchange code.",
            )
            .returns::<start::Started>(200, "Where to send the browser")
            .errors(&[NOT_FOUND, PROVIDER_UNAVAILABLE])
            .rate_limited(),
        Route::get(
            "/v1/session/identity/{provider}/callback",
            Access::Public,
            callback::show,
        )
        .operation("finishProviderSignIn", "Take the browser back from another provider")
        .description(
            "Providers redirect to it. It redirects to the page of `redirect_to`, with `exchange_code` or `error` in the \
             fragment.",
        )
        .returns_no_body(303, "To the page of `redirect_to`")
        .errors(&[NOT_FOUND, STATE_INVALID, INVALID_REQUEST]),
        Route::post(
            "/v1/session/identity/{provider}/callback",
            Access::Public,
            callback::receive,
        )
        .open_to_other_sites()
        .operation("receiveProviderForm", "Take the browser back from a provider that answers in a form")
        .description(
            "Apple posts to it from a page of its own. It redirects as `GET` does. Providers that answer in the address have no \
             such callback.",
        )
        .returns_no_body(303, "To the page of `redirect_to`")
        .errors(&[NOT_FOUND, STATE_INVALID]),
        Route::post("/v1/session/exchange", Access::Public, exchange::create)
            .operation("exchangeProviderSignIn", "Exchange a sign-in by another provider for a session")
            .description(
                "A code works once, within 60 seconds, in the browser or app that started the sign-in. The first sign-in by an \
                 identity creates an account, unless its address has one; that one is mailed a link, which \
                 `POST /v1/session/identity_link` takes.",
            )
            .returns::<SignedIn>(200, "Session started")
            .errors(&[
                EXCHANGE_CODE_INVALID,
                SECOND_FACTOR_REQUIRED,
                SECOND_FACTOR_ENROLMENT_REQUIRED,
                FORBIDDEN,
                EMAIL_UNCONFIRMED,
                ACCOUNT_EXISTS,
                ADDRESS_UNVERIFIED,
                TOO_MANY_IDENTITIES,
            ])
            .rate_limited(),
        Route::post("/v1/session/identity_link/check", Access::Public, identity_link::check)
            .operation("checkIdentityLink", "Open the mailed link that links an account at another provider")
            .description("Shows what the link links. Signs in no one and changes nothing.")
            .returns::<identity_link::OpenedLink>(200, "Link is valid")
            .errors(&[LINK_INVALID]),
        Route::post("/v1/session/identity_link", Access::Public, identity_link::create)
            .operation("finishIdentityLink", "Link an account at another provider by a mailed link, and sign in")
            .description(
                "After 409 `account_exists` of the exchange. A link works once, within 15 minutes, in the browser or app that \
                 started the sign-in.",
            )
            .returns::<SignedIn>(200, "Account linked and session started")
            .errors(&[
                LINK_INVALID,
                SECOND_FACTOR_REQUIRED,
                SECOND_FACTOR_ENROLMENT_REQUIRED,
                IDENTITY_TAKEN,
                TOO_MANY_IDENTITIES,
            ])
            .rate_limited(),
        Route::get("/v1/user/identities", Access::Session, identities::index)
            .operation("listIdentities", "List the linked accounts at other providers")
            .returns::<identities::IdentityList>(200, "The identities"),
        Route::post("/v1/user/identities/{id}", Access::Session, identities::create)
            .text_id("The id of the provider")
            .operation("startLinking", "Start to link an account at another provider")
            .description(
                "As `POST /v1/session/identity/{provider}`; `POST /v1/user/identities` finishes it. The user's own address must be \
                 verified.",
            )
            .returns::<start::Started>(200, "Where to send the browser")
            .errors(&[NOT_FOUND, EMAIL_UNCONFIRMED, PROVIDER_UNAVAILABLE])
            .rate_limited(),
        Route::post("/v1/user/identities", Access::Session, identities::finish)
            .operation("linkIdentity", "Link an account at another provider")
            .returns::<identities::ShownIdentity>(201, "The identity")
            .errors(&[
                EXCHANGE_CODE_INVALID,
                EMAIL_UNCONFIRMED,
                IDENTITY_TAKEN,
                TOO_MANY_IDENTITIES,
            ]),
        Route::delete("/v1/user/identities/{id}", Access::Session, identities::destroy)
            .operation("unlinkIdentity", "Unlink an account at another provider")
            .description("Ends all other sessions of the user.")
            .returns_no_body(204, "Identity unlinked")
            .errors(&[LAST_SIGN_IN_METHOD]),
    ]
}
