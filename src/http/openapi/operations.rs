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
        on("GET /up", "up", "Ask whether the process lives").gives::<Health>(200, "It does"),
        on(
            "GET /ready",
            "ready",
            "Ask whether the server can do its work",
        )
        .gives::<Health>(200, "It can, and can write")
        .tells_reason(),
    ]
}

fn registrations() -> Vec<Operation> {
    vec![
        on("POST /v1/registrations", "signUp", "Sign up")
            .says("Signs in as well, unless the address has to be confirmed first.")
            .takes::<SignUpInput>()
            .gives::<SignedUp>(201, "The account")
            .gives::<Message>(
                202,
                "The same for a free address and a taken one, where sign-up hides who has an account",
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
            "Ask for a confirmation link by mail",
        )
        .takes::<AddressInput>()
        .gives::<Message>(200, "The same for every well-formed address")
        .throttled(),
        on(
            "PUT /v1/confirmations/{token}",
            "confirmAddress",
            "Confirm the address that the link went to",
        )
        .gives::<Message>(200, "It is confirmed"),
    ]
}

fn sessions() -> Vec<Operation> {
    vec![
        on("POST /v1/session", "signIn", "Sign in")
            .says("Starts a new session always; the one whose cookie came along ends.")
            .takes::<SignInInput>()
            .gives::<SignedIn>(200, "A new session")
            .fails(&[INVALID_CREDENTIALS, FORBIDDEN, EMAIL_UNCONFIRMED])
            .throttled(),
        on("GET /v1/session", "showSession", "Ask who one is")
            .gives::<Shown>(200, "User and session"),
        on("DELETE /v1/session", "signOut", "Sign out")
            .gives::<Message>(200, "The session has ended, and its cookie is taken back"),
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
            "The old token is dead at once. The new one is handed over as the old one was carried.",
        )
        .gives::<SignedIn>(200, "The session under its new token"),
        on(
            "GET /v1/sessions",
            "listSessions",
            "List where one is signed in",
        )
        .gives::<SessionList>(200, "The live sessions"),
        on(
            "DELETE /v1/sessions",
            "endSessions",
            "End all sessions, or all others",
        )
        .query(
            "except",
            text().enum_values(Some(["current"])),
            "Keeps the session that asks",
        )
        .gives::<SessionsEnded>(200, "They have ended"),
        on(
            "DELETE /v1/sessions/{id}",
            "endSession",
            "End one of one's sessions",
        )
        .gives_nothing("It has ended"),
    ]
}

fn passwords() -> Vec<Operation> {
    let reset = |route, id| {
        on(route, id, "Set a new password by a link")
            .says("The link works once. Every session of the user ends.")
            .takes::<NewPasswordInput>()
            .gives::<Message>(200, "The password is set")
            .throttled()
    };
    vec![
        on(
            "POST /v1/passwords",
            "requestPasswordReset",
            "Ask for a reset link by mail",
        )
        .takes::<AddressInput>()
        .gives::<Message>(200, "The same for every well-formed address")
        .throttled(),
        on(
            "GET /v1/passwords/{token}",
            "showPasswordReset",
            "Ask whether a reset link may still be used",
        )
        .gives::<ResetLink>(200, "It may"),
        reset("PUT /v1/passwords/{token}", "resetPassword"),
        reset("PATCH /v1/passwords/{token}", "patchPassword"),
    ]
}

fn unlocks() -> Vec<Operation> {
    vec![
        on(
            "PUT /v1/unlocks/{token}",
            "unlock",
            "Open sign-in to an address again",
        )
        .gives::<Message>(200, "It is open for the network that asked"),
    ]
}

fn account() -> Vec<Operation> {
    vec![
        on("GET /v1/user", "showUser", "Show one's account").gives::<ShownUser>(200, "The user"),
        on("PUT /v1/user/password", "changePassword", "Change one's password")
            .says("All other sessions end.")
            .takes::<ChangePasswordInput>()
            .gives::<Message>(200, "It is changed")
            .throttled(),
        on("PUT /v1/user/email_address", "changeAddress", "Ask for another email address")
            .says(
                "A link goes to the new address, and nothing changes before it is used. One's own address withdraws what \
                 was asked for before.",
            )
            .takes::<ChangeAddressInput>()
            .gives::<Message>(200, "The same for a free address and a taken one")
            .throttled(),
        on("DELETE /v1/user", "deleteAccount", "Delete one's account and all that belongs to it")
            .may_take::<DeleteAccountInput>()
            .gives::<Message>(200, "It is gone")
            .throttled(),
    ]
}

fn api_keys() -> Vec<Operation> {
    vec![
        on("GET /v1/api_keys", "listApiKeys", "List one's API keys").gives::<ApiKeyList>(200, "The keys"),
        on("POST /v1/api_keys", "createApiKey", "Create an API key")
            .says("The key is shown this once. It is as good as its scopes, and never manages the account.")
            .takes::<ApiKeyInput>()
            .gives::<NewApiKey>(201, "The new key")
            .fails(&[TOO_MANY_API_KEYS])
            .throttled(),
        on("PATCH /v1/api_keys/{id}", "renameApiKey", "Rename an API key")
            .takes::<ApiKeyChangesInput>()
            .gives::<ShownApiKey>(200, "The key as it is now"),
        on("DELETE /v1/api_keys/{id}", "revokeApiKey", "Revoke an API key")
            .gives_nothing("It is dead, and was dead before if it was revoked already"),
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
        on("POST /v1/tokens/revoke", "revokeToken", "End whatever a token stands for (RFC 7009)")
            .takes::<TokenInput>()
            .gives::<Message>(200, "It is dead, if it was ever good"),
        on("POST /v1/introspect", "introspect", "Ask what a token stands for (RFC 7662)")
            .says("A user's key sees what is that user's, a service's key everything.")
            .takes::<TokenInput>()
            .gives::<Introspection>(200, "What is known of it"),
        on("GET /.well-known/jwks.json", "listKeys", "Get the keys that verify access tokens")
            .gives_as::<KeySet>("application/jwk-set+json", 200, "The keys")
            .gives_unchanged("They are those of `If-None-Match`"),
    ]
}

fn verify() -> Vec<Operation> {
    vec![
        on("ANY /v1/verify", "verify", "Ask who a request comes from")
            .says(
                "For nginx's `auth_request` and the forward auth of Caddy and Traefik, by whatever method. The answer is \
                 in `X-User-Id`, `X-User-Email`, `X-User-Email-Confirmed`, `X-Credential`, `X-Session-Id` and \
                 `X-Scopes`.",
            )
            .query("scope", text(), "Scopes that the credential must have, with a space between")
            .gives::<Message>(200, "A live credential, with the scopes asked for")
            .fails(&[INSUFFICIENT_SCOPE]),
    ]
}

fn projects() -> Vec<Operation> {
    let change = |route, id| {
        on(route, id, "Change a project")
            .says("Changes the fields that it names and leaves the rest.")
            .takes::<ProjectChangesInput>()
            .gives::<ShownProject>(200, "The project as it is now")
    };
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(100));
    vec![
        on("GET /v1/projects", "listProjects", "List one's projects")
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
        .gives_nothing("It is gone"),
    ]
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
