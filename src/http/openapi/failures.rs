//! The replies of failed requests: one for each status of a route, made from the codes that the route can return, and
//! shared by all routes with the same codes.

use utoipa::openapi::schema::{AllOfBuilder, OneOfBuilder};
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, Ref, Response, ResponseBuilder, Schema, Type,
};

use crate::domain::SecondFactorDue;
use crate::http::error_codes::{ErrorCode, SECOND_FACTOR_REQUIRED};
use crate::http::inputs::{Schemas, schema_of};

pub(super) const JSON: &str = "application/json";

/// The name of a reply among the components: `TokenInvalidOrTokenExpired`.
pub(super) fn name(codes: &[ErrorCode]) -> String {
    let names: Vec<String> = codes.iter().map(|code| pascal_case(code.name)).collect();
    names.join("Or")
}

/// A reply with one of these codes, all of one status.
pub(super) fn reply(codes: &[ErrorCode], schemas: &mut Schemas) -> Response {
    let (detailed, plain): (Vec<_>, Vec<_>) = codes
        .iter()
        .partition(|code| **code == SECOND_FACTOR_REQUIRED);
    let schema: Schema = match (detailed.is_empty(), plain.is_empty()) {
        (true, _) => body(&plain).into(),
        (false, true) => with_details(&detailed, schemas).into(),
        (false, false) => OneOfBuilder::new()
            .item(with_details(&detailed, schemas))
            .item(body(&plain))
            .into(),
    };
    let sentences: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`: {}.", code.name, code.when))
        .collect();
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let builder = ResponseBuilder::new()
        .description(sentences.join(" "))
        .content(JSON, content);
    with_headers(codes.first().map_or(0, |code| code.status), builder)
}

fn body(codes: &[&ErrorCode]) -> AllOfBuilder {
    let code = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(codes.iter().map(|code| code.name)));
    AllOfBuilder::new()
        .item(Ref::from_schema_name("Failure"))
        .item(ObjectBuilder::new().required("code").property("code", code))
}

/// The body of a code that has more than a [`Failure`](crate::http::respond::Failure).
fn with_details(codes: &[&ErrorCode], schemas: &mut Schemas) -> AllOfBuilder {
    body(codes).item(schema_of::<SecondFactorDue>(schemas))
}

/// With the headers that every reply of this status has.
pub(super) fn with_headers(status: u16, builder: ResponseBuilder) -> Response {
    let with = |builder: ResponseBuilder, name: &str| {
        builder.header_ref(name, Ref::new(format!("#/components/headers/{name}")))
    };
    let builder = with(builder, "X-Request-Id");
    match status {
        401 => with(builder, "WWW-Authenticate"),
        405 => with(builder, "Allow"),
        429 | 503 => with(builder, "Retry-After"),
        _ => builder,
    }
    .build()
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
