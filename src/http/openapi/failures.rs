//! The replies of a failed request: one for each status of a route, made from the codes that the route can return, and
//! shared by all routes with the same codes.

use std::collections::BTreeMap;

use crate::http::error_codes::ErrorCode;
use utoipa::openapi::schema::AllOfBuilder;
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Schema, Type,
};

pub(super) const JSON: &str = "application/json";

/// The codes of a reply, by its status.
pub(in crate::http) type ByStatus = BTreeMap<u16, Vec<ErrorCode>>;

/// What a reply with these codes is called among the components: `TokenInvalidOrTokenExpired`.
pub(in crate::http) fn name(codes: &[ErrorCode]) -> String {
    let names: Vec<String> = codes.iter().map(|code| pascal_case(code.name)).collect();
    names.join("Or")
}

/// A reply with one of these codes, all of one status.
pub(in crate::http) fn reply(codes: &[ErrorCode]) -> Response {
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
