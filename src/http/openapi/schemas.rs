//! The schemas of bodies and replies. A doc comment is the description in the document.

#![expect(dead_code, reason = "described, never made")]

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// A failure, in the one shape that all have.
#[derive(ToSchema)]
pub(in crate::http) struct Failure {
    /// One sentence for people.
    pub error: String,
    /// Stable, for programs.
    pub code: String,
    /// Whole sentences, when the input was at fault (422) or a link (401 `link_invalid`).
    #[schema(nullable = false)]
    pub errors: Option<Vec<String>>,
    /// What is wrong with which field, when the input was at fault (422).
    #[schema(nullable = false)]
    pub fields: Option<BTreeMap<String, Vec<String>>>,
    /// Names the request in the server's log.
    pub request_id: String,
}

/// That something was done, for people.
#[derive(ToSchema)]
pub(in crate::http) struct Message {
    pub message: String,
}

/// How the server is.
#[derive(ToSchema)]
pub(in crate::http) struct Health {
    /// `up` or `ready`.
    pub status: String,
}

/// Someone with an account.
#[derive(ToSchema)]
pub(in crate::http) struct User {
    #[schema(minimum = 1)]
    pub id: i64,
    /// In lower case.
    pub email_address: String,
    /// Whether the address was proved to be theirs.
    pub email_confirmed: bool,
    #[schema(format = DateTime)]
    pub created_at: String,
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// The full name or a nickname: one line of at most 255 characters.
    #[schema(required)]
    pub name: Option<String>,
    /// What the user states about themselves, at most 4 KiB.
    pub profile: BTreeMap<String, serde_json::Value>,
    /// What operators record about the user, at most 4 KiB.
    pub metadata: BTreeMap<String, serde_json::Value>,
}

/// A signed-in device.
#[derive(ToSchema)]
pub(in crate::http) struct Session {
    #[schema(minimum = 1)]
    pub id: i64,
    /// The client's address at sign-in.
    pub ip_address: String,
    /// What the client called itself at sign-in.
    #[schema(required)]
    pub user_agent: Option<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// To the minute.
    #[schema(format = DateTime)]
    pub last_active_at: String,
    /// When it ends at the latest, used or not.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// Whether it is the one that the request came with.
    pub current: bool,
}

/// Something that a user owns.
#[derive(ToSchema)]
pub(in crate::http) struct Project {
    #[schema(minimum = 1)]
    pub id: i64,
    pub title: String,
    #[schema(required)]
    pub description: Option<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
    #[schema(format = DateTime)]
    pub updated_at: String,
}

/// How a new token is handed over: in the body, or in a cookie that no script can read.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::http) enum Transport {
    Bearer,
    Cookie,
}

/// A new account.
#[derive(ToSchema)]
pub(in crate::http) struct SignUpInput {
    #[schema(format = "email", max_length = 254)]
    pub email_address: String,
    #[schema(format = Password)]
    pub password: String,
    /// Not checked when absent.
    #[schema(format = Password, nullable = false)]
    pub password_confirmation: Option<String>,
    #[schema(inline, nullable = false)]
    pub transport: Option<Transport>,
}

/// A new account and its first session, if it has one yet.
#[derive(ToSchema)]
pub(in crate::http) struct SignedUp {
    pub user: User,
    /// Absent with `"transport": "cookie"`, and where the address has to be confirmed first.
    #[schema(nullable = false)]
    pub token: Option<String>,
    /// Absent where the address has to be confirmed first.
    #[schema(format = DateTime, nullable = false)]
    pub expires_at: Option<String>,
    /// Absent where the address has to be confirmed first.
    #[schema(nullable = false)]
    pub session: Option<Session>,
}

/// Address and password.
#[derive(ToSchema)]
pub(in crate::http) struct SignInInput {
    #[schema(format = "email")]
    pub email_address: String,
    #[schema(format = Password)]
    pub password: String,
    /// Asks for the longer lifetime.
    #[schema(nullable = false)]
    pub remember: Option<bool>,
    #[schema(inline, nullable = false)]
    pub transport: Option<Transport>,
}

/// A session and its new token.
#[derive(ToSchema)]
pub(in crate::http) struct SignedIn {
    /// Shown once; absent where the token went into the cookie.
    #[schema(nullable = false)]
    pub token: Option<String>,
    /// The session's.
    #[schema(format = DateTime)]
    pub expires_at: String,
    pub user: User,
    pub session: Session,
}

/// Who asks, and in which session.
#[derive(ToSchema)]
pub(in crate::http) struct Shown {
    pub user: User,
    /// `null` for an API key.
    #[schema(required)]
    pub session: Option<Session>,
}

/// The user's live sessions.
#[derive(ToSchema)]
pub(in crate::http) struct SessionList {
    /// The most recently used first.
    pub sessions: Vec<Session>,
}

/// How many sessions there were to end.
#[derive(ToSchema)]
pub(in crate::http) struct SessionsEnded {
    pub message: String,
    #[schema(minimum = 0)]
    pub sessions_ended: i64,
}

/// The password in force.
#[derive(ToSchema)]
pub(in crate::http) struct PasswordInput {
    #[schema(format = Password)]
    pub password: String,
}

/// Where a mail is to go.
#[derive(ToSchema)]
pub(in crate::http) struct AddressInput {
    #[schema(format = "email")]
    pub email_address: String,
}

/// A link that may still be used.
#[derive(ToSchema)]
pub(in crate::http) struct ResetLink {
    /// Masked: `o…@example.com`.
    pub email_address: String,
    #[schema(format = DateTime)]
    pub expires_at: String,
}

/// A password in the forgotten one's place.
#[derive(ToSchema)]
pub(in crate::http) struct NewPasswordInput {
    #[schema(format = Password)]
    pub password: String,
    /// Not checked when absent.
    #[schema(format = Password, nullable = false)]
    pub password_confirmation: Option<String>,
}

/// One's own account.
#[derive(ToSchema)]
pub(in crate::http) struct ShownUser {
    pub user: User,
}

/// A new password, and the one in force.
#[derive(ToSchema)]
pub(in crate::http) struct ChangePasswordInput {
    /// The password in force. Needed unless it was given on this session within the last 15 minutes.
    #[schema(format = Password, nullable = false)]
    pub password_challenge: Option<String>,
    #[schema(format = Password)]
    pub password: String,
    /// Not checked when absent.
    #[schema(format = Password, nullable = false)]
    pub password_confirmation: Option<String>,
}

/// Changes to the user; absent fields stay as they are.
#[derive(ToSchema)]
pub(in crate::http) struct UserChangesInput {
    /// One line of at most 255 characters; `null` or blank removes it.
    #[schema(max_length = 255)]
    pub name: Option<String>,
    /// An object of at most 4 KiB; `null` empties it.
    pub profile: Option<BTreeMap<String, serde_json::Value>>,
}

/// A new address, and the password.
#[derive(ToSchema)]
pub(in crate::http) struct ChangeAddressInput {
    /// The password in force. Needed unless it was given on this session within the last 15 minutes.
    #[schema(format = Password, nullable = false)]
    pub password_challenge: Option<String>,
    #[schema(format = "email", max_length = 254)]
    pub email_address: String,
}

/// The password, before everything goes.
#[derive(ToSchema)]
pub(in crate::http) struct DeleteAccountInput {
    /// The password in force. Needed unless it was given on this session within the last 15 minutes.
    #[schema(format = Password, nullable = false)]
    pub password_challenge: Option<String>,
}

/// One page of one's projects.
#[derive(ToSchema)]
pub(in crate::http) struct ProjectList {
    /// The newest first.
    pub projects: Vec<Project>,
    /// Asks for the next page; `null` on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// One project.
#[derive(ToSchema)]
pub(in crate::http) struct ShownProject {
    pub project: Project,
}

/// A new project.
#[derive(ToSchema)]
pub(in crate::http) struct ProjectInput {
    #[schema(max_length = 255)]
    pub title: String,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
}

/// What is to change about a project; the rest stays.
#[derive(ToSchema)]
pub(in crate::http) struct ProjectChangesInput {
    #[schema(max_length = 255, nullable = false)]
    pub title: Option<String>,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
}

/// Address and password, or neither where a session is presented.
#[derive(ToSchema)]
pub(in crate::http) struct TokensInput {
    #[schema(format = "email", nullable = false)]
    pub email_address: Option<String>,
    #[schema(format = Password, nullable = false)]
    pub password: Option<String>,
    /// Asks for the longer lifetime.
    #[schema(nullable = false)]
    pub remember: Option<bool>,
    /// The scopes that the access token is to have, with a space between; absent: all that there are.
    #[schema(nullable = false)]
    pub scope: Option<String>,
}

/// An access token, and the token that renews it.
#[derive(ToSchema)]
pub(in crate::http) struct Tokens {
    /// A JWT (RFC 9068).
    pub access_token: String,
    /// Good once. Absent where the session came in the cookie, which asks for another access token instead.
    #[schema(nullable = false)]
    pub refresh_token: Option<String>,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds until the access token expires.
    #[schema(minimum = 0)]
    pub expires_in: i64,
    /// Seconds until the refresh token expires if it is not used: its session ends then, or has been idle for too long.
    #[schema(minimum = 0, nullable = false)]
    pub refresh_expires_in: Option<i64>,
    /// What the access token may do, with a space between.
    pub scope: String,
}

/// The token that renews an access token.
#[derive(ToSchema)]
pub(in crate::http) struct RefreshInput {
    pub refresh_token: String,
}

/// A token, whatever its kind: a `token_type_hint` is not needed, and not looked at.
#[derive(ToSchema)]
pub(in crate::http) struct TokenInput {
    pub token: String,
}

/// What is known of a credential (RFC 7662). Of one that is not active, only that.
#[derive(ToSchema)]
pub(in crate::http) struct Introspection {
    pub active: bool,
    /// `Bearer`, for sessions and access tokens.
    #[schema(nullable = false)]
    pub token_type: Option<String>,
    /// `session`, `api_key`, `access_token` or `refresh_token`.
    #[schema(nullable = false)]
    pub credential: Option<String>,
    /// With a space between.
    #[schema(nullable = false)]
    pub scope: Option<String>,
    /// The user's id; absent for a service's key.
    #[schema(nullable = false)]
    pub sub: Option<String>,
    /// The user's email address.
    #[schema(nullable = false)]
    pub username: Option<String>,
    /// Whether it was proved to be theirs; there with `username`.
    #[schema(nullable = false)]
    pub email_verified: Option<bool>,
    /// The session's id.
    #[schema(nullable = false)]
    pub sid: Option<String>,
    #[schema(nullable = false)]
    pub iss: Option<String>,
    #[schema(nullable = false)]
    pub aud: Option<String>,
    /// Seconds since 1970, as all times here.
    #[schema(nullable = false)]
    pub iat: Option<i64>,
    #[schema(nullable = false)]
    pub nbf: Option<i64>,
    #[schema(nullable = false)]
    pub exp: Option<i64>,
    #[schema(nullable = false)]
    pub jti: Option<String>,
}

/// The keys that verify access tokens (RFC 7517).
#[derive(ToSchema)]
pub(in crate::http) struct KeySet {
    /// The current one first, then those before it.
    pub keys: Vec<VerifyingKey>,
}

/// An Ed25519 public key (RFC 8037).
#[derive(ToSchema)]
pub(in crate::http) struct VerifyingKey {
    pub kty: String,
    pub crv: String,
    pub x: String,
    #[schema(rename = "use")]
    pub usage: String,
    pub alg: String,
    pub kid: String,
}

/// A credential for a program.
#[derive(ToSchema)]
pub(in crate::http) struct ApiKey {
    #[schema(minimum = 1)]
    pub id: i64,
    pub name: String,
    /// What the key begins with: `crk_`.
    pub prefix: String,
    /// What it ends with.
    pub last_four: String,
    pub scopes: Vec<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// To the minute.
    #[schema(format = DateTime, required)]
    pub last_used_at: Option<String>,
    #[schema(format = DateTime, required)]
    pub expires_at: Option<String>,
    #[schema(format = DateTime, required)]
    pub revoked_at: Option<String>,
}

/// A new API key.
#[derive(ToSchema)]
pub(in crate::http) struct ApiKeyInput {
    #[schema(max_length = 255)]
    pub name: String,
    /// Words of the form `name:action`, or `introspect`. One text with a space between them is taken as well.
    pub scopes: Vec<String>,
    /// Absent or `null`: never.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// What is to change about an API key.
#[derive(ToSchema)]
pub(in crate::http) struct ApiKeyChangesInput {
    #[schema(max_length = 255)]
    pub name: String,
}

/// An API key that was made a moment ago.
#[derive(ToSchema)]
pub(in crate::http) struct NewApiKey {
    /// The key itself, shown this once.
    pub key: String,
    pub api_key: ApiKey,
}

/// One API key.
#[derive(ToSchema)]
pub(in crate::http) struct ShownApiKey {
    pub api_key: ApiKey,
}

/// The user's API keys.
#[derive(ToSchema)]
pub(in crate::http) struct ApiKeyList {
    /// The newest first, for a while also those that are revoked or expired.
    pub api_keys: Vec<ApiKey>,
}
