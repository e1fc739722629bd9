//! What a request can be refused with: every code, with its status and when it comes. The reply of a status is made from
//! the codes that a route gives it, once for all routes that give it the same.

use std::collections::BTreeMap;

use utoipa::openapi::schema::AllOfBuilder;
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Schema, Type,
};

pub(super) const JSON: &str = "application/json";

/// A code, which programs may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) struct Code {
    pub status: u16,
    pub name: &'static str,
    pub when: &'static str,
}

const fn code(status: u16, name: &'static str, when: &'static str) -> Code {
    Code { status, name, when }
}

pub(in crate::http) const INVALID_REQUEST: Code = code(
    400,
    "invalid_request",
    "the body or query cannot be read, or there are two credentials",
);
pub(in crate::http) const INVALID_GRANT: Code = code(
    400,
    "invalid_grant",
    "the refresh token is unknown, expired or used up",
);
pub(in crate::http) const INVALID_SCOPE: Code = code(
    400,
    "invalid_scope",
    "the scope is malformed, or more than there is to give",
);
pub(in crate::http) const UNAUTHORIZED: Code = code(401, "unauthorized", "no credential");
pub(in crate::http) const TOKEN_INVALID: Code = code(
    401,
    "token_invalid",
    "the token is malformed, unknown or revoked",
);
pub(in crate::http) const TOKEN_EXPIRED: Code =
    code(401, "token_expired", "the token was good once");
pub(in crate::http) const INVALID_API_KEY: Code = code(
    401,
    "invalid_api_key",
    "the API key is malformed, unknown, revoked or expired",
);
pub(in crate::http) const INVALID_CREDENTIALS: Code = code(
    401,
    "invalid_credentials",
    "address and password do not belong together",
);
pub(in crate::http) const LINK_INVALID: Code = code(
    401,
    "link_invalid",
    "the link from a mail is forged, used or too old",
);
pub(in crate::http) const FORBIDDEN: Code = code(
    403,
    "forbidden",
    "sign-up is closed, or a credential of this kind may not do this",
);
pub(in crate::http) const INSUFFICIENT_SCOPE: Code = code(
    403,
    "insufficient_scope",
    "the credential lacks a scope: see `WWW-Authenticate`",
);
pub(in crate::http) const EMAIL_UNCONFIRMED: Code = code(
    403,
    "email_unconfirmed",
    "the address must be confirmed first, by the link that was mailed to it",
);
pub(in crate::http) const CROSS_ORIGIN: Code = code(
    403,
    "cross_origin",
    "a page of another origin sent the session's cookie",
);
pub(in crate::http) const NOT_FOUND: Code = code(
    404,
    "not_found",
    "it does not exist, or belongs to somebody else",
);
pub(in crate::http) const METHOD_NOT_ALLOWED: Code = code(
    405,
    "method_not_allowed",
    "the path has other methods: see `Allow`",
);
pub(in crate::http) const REQUEST_TIMEOUT: Code =
    code(408, "request_timeout", "the body did not arrive in time");
pub(in crate::http) const PAYLOAD_TOO_LARGE: Code =
    code(413, "payload_too_large", "the body is over 64 KiB");
pub(in crate::http) const UNSUPPORTED_MEDIA_TYPE: Code = code(
    415,
    "unsupported_media_type",
    "the body is neither JSON nor a form",
);
pub(in crate::http) const VALIDATION_FAILED: Code = code(
    422,
    "validation_failed",
    "the input cannot be used: see `fields`",
);
pub(in crate::http) const ACCOUNT_NOT_CREATED: Code =
    code(422, "account_not_created", "the address is taken");
pub(in crate::http) const TOO_MANY_PROJECTS: Code = code(
    422,
    "too_many_projects",
    "there are as many projects as one user may have",
);
pub(in crate::http) const TOO_MANY_API_KEYS: Code = code(
    422,
    "too_many_api_keys",
    "there are as many API keys as one user may have",
);
pub(in crate::http) const RATE_LIMITED: Code =
    code(429, "rate_limited", "too many tries: see `Retry-After`");
pub(in crate::http) const INTERNAL_ERROR: Code = code(
    500,
    "internal_error",
    "a fault of the server: look for `request_id` in its log",
);
pub(in crate::http) const UNAVAILABLE: Code = code(
    503,
    "unavailable",
    "password hashing is saturated, the database is busy or the disk is full: see `Retry-After`",
);

/// The codes of a reply, by its status.
pub(in crate::http) type ByStatus = BTreeMap<u16, Vec<Code>>;

/// What a reply with these codes is called among the components: `TokenInvalidOrTokenExpired`.
pub(in crate::http) fn name(codes: &[Code]) -> String {
    let names: Vec<String> = codes.iter().map(|code| pascal_case(code.name)).collect();
    names.join("Or")
}

/// A reply with one of these codes, all of one status.
pub(in crate::http) fn reply(codes: &[Code]) -> Response {
    let names = codes.iter().map(|code| code.name);
    let one_of_them = ObjectBuilder::new().required("code").property(
        "code",
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(names)),
    );
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name("Failure"))
        .item(one_of_them);
    let sentences: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`: {}.", code.name, code.when))
        .collect();
    let status = codes.first().map_or(0, |code| code.status);
    with_headers(status, &sentences.join(" "), schema.into())
}

/// What `/ready` alone answers: its code is the reason.
pub(in crate::http) fn not_ready() -> Response {
    let about = "The server cannot do its work; `code` is the reason: `database_busy`, `disk_full` and the like.";
    with_headers(503, about, Ref::from_schema_name("Failure").into())
}

fn with_headers(status: u16, about: &str, schema: RefOr<Schema>) -> Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let reply = ResponseBuilder::new()
        .description(about)
        .content(JSON, content)
        .header_ref("X-Request-Id", header("X-Request-Id"));
    match status {
        401 => reply.header_ref("WWW-Authenticate", header("WWW-Authenticate")),
        405 => reply.header_ref("Allow", header("Allow")),
        429 | 503 => reply.header_ref("Retry-After", header("Retry-After")),
        _ => reply,
    }
    .build()
}

/// A header that stands among the components.
pub(in crate::http) fn header(name: &str) -> Ref {
    Ref::new(format!("#/components/headers/{name}"))
}

fn pascal_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .chain(letters)
            .collect::<String>()
    });
    words.collect()
}
