//! The routes in words, in the order of `features`. What a route can fail with by being what it is (protected, with a
//! body, with an id in its path) follows from `operation`; here stands what is its own.

use utoipa::openapi::{ObjectBuilder, Type};

use super::failures::{
    ACCOUNT_NOT_CREATED, EMAIL_UNCONFIRMED, FORBIDDEN, INVALID_CREDENTIALS, TOO_MANY_PROJECTS,
};
use super::operation::{Operation, on};
use super::schemas::{
    AddressInput, ChangeAddressInput, ChangePasswordInput, DeleteAccountInput, Health, Message,
    NewPasswordInput, PasswordInput, ProjectChangesInput, ProjectInput, ProjectList, ResetLink, SessionList,
    SessionsEnded, Shown, ShownProject, ShownUser, SignInInput, SignUpInput, SignedIn, SignedUp,
};

/// The routes of a feature.
pub(super) struct Group {
    pub tag: &'static str,
    pub about: &'static str,
    pub operations: fn() -> Vec<Operation>,
}

pub(super) const GROUPS: &[Group] = &[
    Group { tag: "health", about: "For load balancers and monitors", operations: health },
    Group { tag: "registrations", about: "Signing up", operations: registrations },
    Group { tag: "confirmations", about: "Proving that an address is one's own", operations: confirmations },
    Group {
        tag: "sessions",
        about: "Signing in and out, and the devices one is signed in on",
        operations: sessions,
    },
    Group { tag: "passwords", about: "Resetting a forgotten password", operations: passwords },
    Group { tag: "unlocks", about: "Opening sign-in again after too many failures", operations: unlocks },
    Group { tag: "account", about: "One's own account", operations: account },
    Group {
        tag: "projects",
        about: "The example of a resource that belongs to its user",
        operations: projects,
    },
];

fn health() -> Vec<Operation> {
    vec![
        on("GET /up", "up", "Ask whether the process lives").gives::<Health>(200, "It does"),
        on("GET /ready", "ready", "Ask whether the server can do its work")
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
        on("POST /v1/confirmations", "requestConfirmation", "Ask for a confirmation link by mail")
            .takes::<AddressInput>()
            .gives::<Message>(200, "The same for every address")
            .throttled(),
        on("PUT /v1/confirmations/{token}", "confirmAddress", "Confirm the address that the link went to")
            .gives::<Message>(200, "It is confirmed"),
    ]
}

fn sessions() -> Vec<Operation> {
    vec![
        on("POST /v1/session", "signIn", "Sign in")
            .says("Starts a new session always; the one whose cookie came along ends.")
            .takes::<SignInInput>()
            .gives::<SignedIn>(200, "A new session")
            .fails(&[INVALID_CREDENTIALS, EMAIL_UNCONFIRMED])
            .throttled(),
        on("GET /v1/session", "showSession", "Ask who one is").gives::<Shown>(200, "User and session"),
        on("DELETE /v1/session", "signOut", "Sign out")
            .gives::<Message>(200, "The session has ended, and its cookie is taken back"),
        on("POST /v1/session/confirm", "confirmPassword", "Give the password again")
            .says("For 15 minutes, changes on this session need no `password_challenge`.")
            .takes::<PasswordInput>()
            .gives::<Message>(200, "It was right")
            .throttled(),
        on("POST /v1/session/rotate", "rotateSession", "Get a new token for the session")
            .says("The old token is dead at once. The new one is handed over as the old one was carried.")
            .gives::<SignedIn>(200, "The session under its new token"),
        on("GET /v1/sessions", "listSessions", "List where one is signed in")
            .gives::<SessionList>(200, "The live sessions"),
        on("DELETE /v1/sessions", "endSessions", "End all sessions, or all others")
            .query("except", text().enum_values(Some(["current"])), "Keeps the session that asks")
            .gives::<SessionsEnded>(200, "They have ended"),
        on("DELETE /v1/sessions/{id}", "endSession", "End one of one's sessions")
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
        on("POST /v1/passwords", "requestPasswordReset", "Ask for a reset link by mail")
            .takes::<AddressInput>()
            .gives::<Message>(200, "The same for every address")
            .throttled(),
        on("GET /v1/passwords/{token}", "showPasswordReset", "Ask whether a reset link may still be used")
            .gives::<ResetLink>(200, "It may"),
        reset("PUT /v1/passwords/{token}", "resetPassword"),
        reset("PATCH /v1/passwords/{token}", "patchPassword"),
    ]
}

fn unlocks() -> Vec<Operation> {
    vec![
        on("PUT /v1/unlocks/{token}", "unlock", "Open sign-in to an address again")
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

fn projects() -> Vec<Operation> {
    let change = |route, id| {
        on(route, id, "Change a project")
            .says("Changes the fields that it names and leaves the rest.")
            .takes::<ProjectChangesInput>()
            .gives::<ShownProject>(200, "The project as it is now")
    };
    let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(100));
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
        on("DELETE /v1/projects/{id}", "deleteProject", "Delete a project").gives_nothing("It is gone"),
    ]
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
