//! The route table with a valid body for each route and the expected status for each caller.

use actix_web::http::Method;
use cloakroom::features;
use cloakroom::http::Access;
use cloakroom::http::routes::Verb;
use serde_json::{Value, json};

use super::app::{ONE, PASSWORD};
use super::provider::VERIFIER;

/// Stands for the token of a link in a body; the fixture has the link.
pub const LINK: &str = "{token}";
/// Stands for the token of a pending sign-in, and the code that finishes it.
pub const PENDING: &str = "{pending}";
/// Stands for the code of a sign-in that a provider has confirmed.
pub const EXCHANGE: &str = "{exchange}";
/// Stands for the code of an identity that the owner links.
pub const LINKING: &str = "{linking}";
/// Stands for a code of the authenticator app that the owner is setting up.
pub const CODE: &str = "{code}";

/// Stands for what a passkey of the owner returns at sign-in.
pub const ASSERTION: &str = "{assertion}";
/// Stands for what a new passkey of the owner returns.
pub const NEW_PASSKEY: &str = "{new_passkey}";

/// A route, a body that it accepts, and the status that each caller gets.
pub struct Case {
    pub method: Verb,
    pub path: &'static str,
    pub body: Value,
    pub anonymous: u16,
    pub another: u16,
    pub owner: u16,
    pub disabled: u16,
}

impl Case {
    /// Who may call the route, as it is declared.
    pub fn access(&self) -> Access {
        let routes = features::routes();
        let declared = routes
            .iter()
            .find(|route| route.method == self.method && route.path == self.path);
        declared.expect("a route").access
    }

    /// The methods that the test sends.
    pub fn methods(&self) -> Vec<Method> {
        match &self.method {
            Verb::One(method) => vec![method.clone()],
            Verb::Any => {
                vec![Method::GET, Method::POST, Method::DELETE, Method::OPTIONS]
            }
        }
    }
}

fn case(method: Method, path: &'static str, body: Value, statuses: [u16; 4]) -> Case {
    row(Verb::One(method), path, body, statuses)
}

fn row(
    method: Verb,
    path: &'static str,
    body: Value,
    [anonymous, another, owner, disabled]: [u16; 4],
) -> Case {
    Case {
        method,
        path,
        body,
        anonymous,
        another,
        owner,
        disabled,
    }
}

pub fn cases() -> Vec<Case> {
    let none = || json!({});
    let challenge = || json!({ "password_challenge": PASSWORD });
    let credentials = json!({ "email_address": ONE, "password": PASSWORD });
    let newcomer = json!({ "email_address": "new@example.com", "password": PASSWORD });
    let password = json!({ "password": "another password" });
    let new_password = json!({ "password_challenge": PASSWORD, "password": "another password" });
    let new_address =
        json!({ "password_challenge": PASSWORD, "email_address": "moved@example.com" });
    let title = || json!({ "title": "A title" });
    let key = json!({ "name": "A key", "scopes": ["introspect"], "password_challenge": PASSWORD });
    let link = "/v1/passwords/{token}";
    let token = || json!({ "token": LINK });
    let reset = json!({ "token": LINK, "password": "another password" });
    vec![
        case(Method::GET, "/up", none(), [200; 4]),
        case(Method::GET, "/ready", none(), [200; 4]),
        case(Method::POST, "/v1/registrations", newcomer, [201; 4]),
        case(
            Method::POST,
            "/v1/confirmations",
            json!({ "email_address": ONE }),
            [200; 4],
        ),
        case(Method::PUT, "/v1/confirmations", token(), [200; 4]),
        case(Method::PUT, "/v1/confirmations/{token}", none(), [200; 4]),
        case(Method::POST, "/v1/session", credentials.clone(), [200; 4]),
        case(Method::GET, "/v1/session", none(), [401, 200, 200, 401]),
        case(Method::DELETE, "/v1/session", none(), [401, 200, 200, 401]),
        case(
            Method::POST,
            "/v1/session/reauthenticate",
            json!({ "password": PASSWORD }),
            [401, 200, 200, 401],
        ),
        case(
            Method::POST,
            "/v1/session/rotate",
            none(),
            [401, 200, 200, 401],
        ),
        case(Method::GET, "/v1/sessions", none(), [401, 200, 200, 401]),
        case(Method::DELETE, "/v1/sessions", none(), [401, 200, 200, 401]),
        case(
            Method::DELETE,
            "/v1/sessions/{id}",
            none(),
            [401, 404, 204, 401],
        ),
        case(
            Method::POST,
            "/v1/passwords",
            json!({ "email_address": ONE }),
            [200; 4],
        ),
        case(Method::PUT, "/v1/passwords", reset.clone(), [200; 4]),
        case(Method::PATCH, "/v1/passwords", reset, [200; 4]),
        case(Method::POST, "/v1/passwords/check", token(), [200; 4]),
        case(Method::GET, link, none(), [200; 4]),
        case(Method::PUT, link, password.clone(), [200; 4]),
        case(Method::PATCH, link, password, [200; 4]),
        case(Method::GET, "/v1/user", none(), [401, 200, 200, 401]),
        case(Method::GET, "/v1/user/events", none(), [401, 200, 200, 401]),
        case(
            Method::PATCH,
            "/v1/user",
            json!({ "name": "One" }),
            [401, 200, 200, 401],
        ),
        case(
            Method::PUT,
            "/v1/user/password",
            new_password,
            [401, 200, 200, 401],
        ),
        case(
            Method::DELETE,
            "/v1/user/password",
            challenge(),
            [401, 409, 200, 401],
        ),
        case(
            Method::PUT,
            "/v1/user/email_address",
            new_address,
            [401, 200, 200, 401],
        ),
        case(
            Method::DELETE,
            "/v1/user",
            json!({ "password_challenge": PASSWORD }),
            [401, 200, 200, 401],
        ),
        case(
            Method::POST,
            "/v1/session/code",
            json!({ "email_address": ONE }),
            [202; 4],
        ),
        case(Method::POST, "/v1/session/code/check", token(), [200; 4]),
        case(
            Method::POST,
            "/v1/session/second_factor",
            json!({ "pending_token": PENDING }),
            [200; 4],
        ),
        case(Method::GET, "/v1/providers", none(), [200; 4]),
        case(
            Method::GET,
            "/v1/user/identities",
            none(),
            [401, 200, 200, 401],
        ),
        // The id is that of an identity, not of a provider.
        case(
            Method::POST,
            "/v1/user/identities/{id}",
            challenge(),
            [401, 404, 404, 401],
        ),
        case(
            Method::POST,
            "/v1/user/identities",
            json!({ "exchange_code": LINKING }),
            [401, 401, 201, 401],
        ),
        case(
            Method::DELETE,
            "/v1/user/identities/{id}",
            challenge(),
            [401, 404, 204, 401],
        ),
        // The path names a provider that the settings do not have.
        case(
            Method::POST,
            "/v1/session/identity/{provider}",
            none(),
            [404; 4],
        ),
        case(
            Method::GET,
            "/v1/session/identity/{provider}/callback",
            none(),
            [404; 4],
        ),
        case(
            Method::POST,
            "/v1/session/identity/{provider}/callback",
            none(),
            [404; 4],
        ),
        case(
            Method::POST,
            "/v1/session/exchange",
            json!({ "exchange_code": EXCHANGE }),
            [200; 4],
        ),
        case(
            Method::POST,
            "/v1/session/identity_link/check",
            token(),
            [200; 4],
        ),
        case(
            Method::POST,
            "/v1/session/identity_link",
            json!({ "token": LINK, "code_verifier": VERIFIER }),
            [200; 4],
        ),
        case(
            Method::GET,
            "/v1/user/factors",
            none(),
            [401, 200, 200, 401],
        ),
        case(
            Method::POST,
            "/v1/user/totp",
            challenge(),
            [401, 422, 200, 401],
        ),
        case(
            Method::PUT,
            "/v1/user/totp",
            json!({ "code": CODE, "password_challenge": PASSWORD }),
            [401, 422, 200, 401],
        ),
        case(
            Method::DELETE,
            "/v1/user/totp",
            challenge(),
            [401, 204, 404, 401],
        ),
        case(
            Method::POST,
            "/v1/user/recovery_codes",
            challenge(),
            [401, 200, 422, 401],
        ),
        case(
            Method::POST,
            "/v1/registrations/passkey/options",
            json!({ "email_address": ONE }),
            [200; 4],
        ),
        case(
            Method::POST,
            "/v1/session/passkey/options",
            none(),
            [200; 4],
        ),
        case(
            Method::POST,
            "/v1/session/passkey",
            json!({ "credential": ASSERTION }),
            [200; 4],
        ),
        case(
            Method::POST,
            "/v1/user/passkeys/options",
            challenge(),
            [401, 200, 200, 401],
        ),
        case(
            Method::POST,
            "/v1/user/passkeys",
            json!({ "credential": NEW_PASSKEY, "password_challenge": PASSWORD }),
            [401, 422, 201, 401],
        ),
        case(
            Method::GET,
            "/v1/user/passkeys",
            none(),
            [401, 200, 200, 401],
        ),
        case(
            Method::PATCH,
            "/v1/user/passkeys/{id}",
            json!({ "name": "Another", "password_challenge": PASSWORD }),
            [401, 404, 200, 401],
        ),
        case(
            Method::DELETE,
            "/v1/user/passkeys/{id}",
            challenge(),
            [401, 404, 204, 401],
        ),
        case(Method::PUT, "/v1/unlocks", token(), [200; 4]),
        case(Method::PUT, "/v1/unlocks/{token}", none(), [200; 4]),
        case(Method::GET, "/v1/projects", none(), [401, 200, 200, 401]),
        case(Method::POST, "/v1/projects", title(), [401, 201, 201, 401]),
        case(
            Method::GET,
            "/v1/projects/{id}",
            none(),
            [401, 404, 200, 401],
        ),
        case(
            Method::PATCH,
            "/v1/projects/{id}",
            title(),
            [401, 404, 200, 401],
        ),
        case(
            Method::PUT,
            "/v1/projects/{id}",
            title(),
            [401, 404, 200, 401],
        ),
        case(
            Method::DELETE,
            "/v1/projects/{id}",
            none(),
            [401, 404, 204, 401],
        ),
        case(Method::GET, "/v1/api_keys", none(), [401, 200, 200, 401]),
        case(Method::POST, "/v1/api_keys", key, [401, 201, 201, 401]),
        case(
            Method::PATCH,
            "/v1/api_keys/{id}",
            json!({ "name": "Another" }),
            [401, 404, 200, 401],
        ),
        case(
            Method::DELETE,
            "/v1/api_keys/{id}",
            none(),
            [401, 404, 204, 401],
        ),
        case(Method::POST, "/v1/tokens", credentials, [200; 4]),
        case(Method::POST, "/v1/tokens/refresh", none(), [400; 4]),
        case(
            Method::POST,
            "/v1/tokens/revoke",
            json!({ "token": "unknown" }),
            [200; 4],
        ),
        case(
            Method::POST,
            "/v1/introspect",
            json!({ "token": "unknown" }),
            [401, 403, 403, 401],
        ),
        case(Method::GET, "/.well-known/jwks.json", none(), [200; 4]),
        row(Verb::Any, "/v1/verify", none(), [401, 200, 200, 401]),
    ]
}
