//! The routes in words, in the order of `features`. What a route can fail with by being what it is (protected, with a
//! body, with an id in its path) follows from `operation`; here stands what is its own.

use utoipa::openapi::{ObjectBuilder, Type};

use super::operation::{Operation, on};
use super::schemas::{
    AddressInput, ApiKeyChangesInput, ApiKeyInput, ApiKeyList, ChangeAddressInput,
    ChangePasswordInput, DeleteAccountInput, Health, Introspection, KeySet, Message, NewApiKey,
    NewPasswordInput, PasswordInput, ProjectChangesInput, ProjectInput, ProjectList, RefreshInput,
    ResetLink, SessionList, SessionsEnded, Shown, ShownApiKey, ShownProject, ShownUser,
    SignInInput, SignUpInput, SignedIn, SignedUp, TokenInput, Tokens, TokensInput,
    UserChangesInput,
};
use crate::http::error_codes::{
    ACCOUNT_NOT_CREATED, EMAIL_UNCONFIRMED, FORBIDDEN, INSUFFICIENT_SCOPE, INVALID_API_KEY,
    INVALID_CREDENTIALS, INVALID_GRANT, INVALID_SCOPE, TOKEN_EXPIRED, TOKEN_INVALID,
    TOO_MANY_API_KEYS, TOO_MANY_PROJECTS,
};

/// The routes of a feature.
pub(in crate::http) struct Group {
    pub tag: &'static str,
    pub about: &'static str,
    pub operations: fn() -> Vec<Operation>,
}

pub(in crate::http) const GROUPS: &[Group] = &[
    Group {
        tag: "health",
        about: "For load balancers and monitors",
        operations: health,
    },
    Group {
        tag: "registrations",
        about: "Signing up",
        operations: registrations,
    },
    Group {
        tag: "confirmations",
        about: "Proving that an address is one's own",
        operations: confirmations,
    },
    Group {
        tag: "sessions",
        about: "Signing in and out, and the devices one is signed in on",
        operations: sessions,
    },
    Group {
        tag: "passwords",
        about: "Resetting a forgotten password",
        operations: passwords,
    },
    Group {
        tag: "unlocks",
        about: "Opening sign-in again after too many failures",
        operations: unlocks,
    },
    Group {
        tag: "account",
        about: "One's own account",
        operations: account,
    },
    Group {
        tag: "API keys",
        about: "Credentials of one's own programs",
        operations: api_keys,
    },
    Group {
        tag: "tokens",
        about: "Access tokens that others verify without asking, and what renews, ends and explains them",
        operations: tokens,
    },
    Group {
        tag: "verify",
        about: "For reverse proxies",
        operations: verify,
    },
    Group {
        tag: "projects",
        about: "The example of a resource that belongs to its user",
        operations: projects,
    },
];

fn health() -> Vec<Operation> {
    vec![
        on("GET /up", "up", "Check that the process is up").gives::<Health>(200, "Process is up"),
        on("GET /ready", "ready", "Check that the server is ready")
            .gives::<Health>(200, "Database is writable")
            .tells_reason(),
    ]
}

fn registrations() -> Vec<Operation> {
    vec![
        on("POST /v1/registrations", "signUp", "Sign up")
            .says("Also signs in, unless the address must be verified first.")
            .takes::<SignUpInput>()
            .gives::<SignedUp>(201, "The account")
            .gives::<Message>(
                202,
                "The same for a free and a taken address, where sign-up hides accounts",
            )
            .fails(&[FORBIDDEN, ACCOUNT_NOT_CREATED])
            .throttled(),
    ]
}

fn confirmations() -> Vec<Operation> {
    vec![
        on(
            "POST /v1/confirmations",
            "requestConfirmation",
            "Request a verification link by mail",
        )
        .takes::<AddressInput>()
        .gives::<Message>(200, "The same for every well-formed address")
        .throttled(),
        on(
            "PUT /v1/confirmations/{token}",
            "confirmAddress",
            "Verify the address that the link was mailed to",
        )
        .gives::<Message>(200, "Address is verified"),
    ]
}

fn sessions() -> Vec<Operation> {
    vec![
        on("POST /v1/session", "signIn", "Sign in")
            .says("Always starts a new session; the session of the request's cookie ends.")
            .takes::<SignInInput>()
            .gives::<SignedIn>(200, "A new session")
            .fails(&[INVALID_CREDENTIALS, FORBIDDEN, EMAIL_UNCONFIRMED])
            .throttled(),
        on("GET /v1/session", "showSession", "Show the user and the session")
            .gives::<Shown>(200, "User and session"),
        on("DELETE /v1/session", "signOut", "Sign out")
            .gives::<Message>(200, "Session ended, cookie cleared"),
        on(
            "POST /v1/session/reauthenticate",
            "reauthenticate",
            "Reauthenticate the session",
        )
        .says(
            "For 15 minutes, sensitive changes on this session need no `password_challenge`. The session gets a new token, carried as the old one, which is revoked at once.",
        )
        .takes::<PasswordInput>()
        .gives::<SignedIn>(200, "The session with its new token")
        .throttled(),
        on(
            "POST /v1/session/rotate",
            "rotateSession",
            "Get a new token for the session",
        )
        .says(
            "The old token is revoked at once. The new one is returned the way the old one was presented.",
        )
        .gives::<SignedIn>(200, "The session with its new token"),
        on(
            "GET /v1/sessions",
            "listSessions",
            "List the user's sessions",
        )
        .gives::<SessionList>(200, "The active sessions"),
        on(
            "DELETE /v1/sessions",
            "endSessions",
            "End all sessions, or all others",
        )
        .query(
            "except",
            text().enum_values(Some(["current"])),
            "Keeps the session of the request",
        )
        .gives::<SessionsEnded>(200, "Sessions ended"),
        on(
            "DELETE /v1/sessions/{id}",
            "endSession",
            "End a session",
        )
        .gives_nothing("Session ended"),
    ]
}

fn passwords() -> Vec<Operation> {
    let reset = |route, id| {
        on(route, id, "Set a new password by a link")
            .says("The link is valid once. All sessions of the user end.")
            .takes::<NewPasswordInput>()
            .gives::<Message>(200, "Password is set")
            .throttled()
    };
    vec![
        on(
            "POST /v1/passwords",
            "requestPasswordReset",
            "Request a password reset link by mail",
        )
        .takes::<AddressInput>()
        .gives::<Message>(200, "The same for every well-formed address")
        .throttled(),
        on(
            "GET /v1/passwords/{token}",
            "showPasswordReset",
            "Check a reset link",
        )
        .gives::<ResetLink>(200, "Link is valid"),
        reset("PUT /v1/passwords/{token}", "resetPassword"),
        reset("PATCH /v1/passwords/{token}", "patchPassword"),
    ]
}

fn unlocks() -> Vec<Operation> {
    vec![
        on(
            "PUT /v1/unlocks/{token}",
            "unlock",
            "Unlock sign-in to an address",
        )
        .gives::<Message>(200, "Sign-in is unlocked for the network of the request"),
    ]
}

fn account() -> Vec<Operation> {
    vec![
        on("GET /v1/user", "showUser", "Show the user").gives::<ShownUser>(200, "The user"),
        on("PATCH /v1/user", "updateUser", "Update the user's name and profile")
            .takes::<UserChangesInput>()
            .gives::<ShownUser>(200, "The updated user"),
        on("PUT /v1/user/password", "changePassword", "Change the password")
            .says("All other sessions end.")
            .takes::<ChangePasswordInput>()
            .gives::<Message>(200, "Password changed")
            .throttled(),
        on("PUT /v1/user/email_address", "changeAddress", "Request a change of email address")
            .says(
                "A link goes to the new address, and nothing changes before it is used. One's own address withdraws what \
                 was asked for before.",
            )
            .takes::<ChangeAddressInput>()
            .gives::<Message>(200, "The same for a free and a taken address")
            .throttled(),
        on("DELETE /v1/user", "deleteAccount", "Delete the account and all its data")
            .may_take::<DeleteAccountInput>()
            .gives::<Message>(200, "Account deleted")
            .throttled(),
    ]
}

fn api_keys() -> Vec<Operation> {
    vec![
        on("GET /v1/api_keys", "listApiKeys", "List the user's API keys").gives::<ApiKeyList>(200, "The keys"),
        on("POST /v1/api_keys", "createApiKey", "Create an API key")
            .says("The key is shown once. It may do what its scopes name, and never manages the account.")
            .takes::<ApiKeyInput>()
            .gives::<NewApiKey>(201, "The new key")
            .fails(&[TOO_MANY_API_KEYS])
            .throttled(),
        on("PATCH /v1/api_keys/{id}", "renameApiKey", "Rename an API key")
            .takes::<ApiKeyChangesInput>()
            .gives::<ShownApiKey>(200, "The renamed key"),
        on("DELETE /v1/api_keys/{id}", "revokeApiKey", "Revoke an API key")
            .gives_nothing("Key is revoked"),
    ]
}

fn tokens() -> Vec<Operation> {
    vec![
        on("POST /v1/tokens", "createTokens", "Get an access token and a refresh token")
            .says(
                "By signing in, or for the session that the request presents. Where that is the cookie's, there is no \
                 refresh token: a script could read it.",
            )
            .may_take::<TokensInput>()
            .gives::<Tokens>(200, "The tokens")
            .fails(&[INVALID_SCOPE, INVALID_CREDENTIALS, TOKEN_INVALID, TOKEN_EXPIRED, INVALID_API_KEY])
            .fails(&[FORBIDDEN, EMAIL_UNCONFIRMED])
            .throttled(),
        on("POST /v1/tokens/refresh", "refreshTokens", "Renew an access token")
            .says(
                "The refresh token is spent, and another takes its place. The same one again gives the same again within \
                 10 seconds; later its session ends, for it may have been stolen.",
            )
            .takes::<RefreshInput>()
            .gives::<Tokens>(200, "The tokens")
            .fails(&[INVALID_GRANT])
            .throttled(),
        on("POST /v1/tokens/revoke", "revokeToken", "Revoke a token (RFC 7009)")
            .takes::<TokenInput>()
            .gives::<Message>(200, "Token is revoked or was never valid"),
        on("POST /v1/introspect", "introspect", "Introspect a token (RFC 7662)")
            .says("A user's key sees tokens of that user only, a service's key all.")
            .takes::<TokenInput>()
            .gives::<Introspection>(200, "The state of the token"),
        on("GET /.well-known/jwks.json", "listKeys", "Get the keys that verify access tokens")
            .gives_as::<KeySet>("application/jwk-set+json", 200, "The keys")
            .gives_unchanged("Unchanged since `If-None-Match`"),
    ]
}

fn verify() -> Vec<Operation> {
    vec![
        on("ANY /v1/verify", "verify", "Verify the credential of a request")
            .says(
                "For nginx's `auth_request` and the forward auth of Caddy and Traefik, by whatever method. The answer is \
                 in `X-User-Id`, `X-User-Email`, `X-User-Email-Confirmed`, `X-Credential`, `X-Session-Id` and \
                 `X-Scopes`.",
            )
            .query("scope", text(), "Scopes that the credential must have, with a space between")
            .gives::<Message>(200, "Credential is valid and has the required scopes")
            .fails(&[INSUFFICIENT_SCOPE]),
    ]
}

fn projects() -> Vec<Operation> {
    let change = |route, id| {
        on(route, id, "Change a project")
            .says("Changes the fields in the body and leaves the others.")
            .takes::<ProjectChangesInput>()
            .gives::<ShownProject>(200, "The changed project")
    };
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(100));
    vec![
        on(
            "GET /v1/projects",
            "listProjects",
            "List the user's projects",
        )
        .query("limit", limit.default(Some(50.into())), "How many at most")
        .query("cursor", text(), "The last page's `next_cursor`")
        .gives::<ProjectList>(200, "One page"),
        on("POST /v1/projects", "createProject", "Create a project")
            .takes::<ProjectInput>()
            .gives::<ShownProject>(201, "The new project")
            .fails(&[TOO_MANY_PROJECTS]),
        on("GET /v1/projects/{id}", "showProject", "Show a project")
            .gives::<ShownProject>(200, "The project"),
        change("PATCH /v1/projects/{id}", "updateProject"),
        change("PUT /v1/projects/{id}", "replaceProject"),
        on(
            "DELETE /v1/projects/{id}",
            "deleteProject",
            "Delete a project",
        )
        .gives_nothing("Project deleted"),
    ]
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
