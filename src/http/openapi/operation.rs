//! One route as an operation of the document: what it declares, and what follows from its path, its access and its inputs.

use std::collections::BTreeMap;

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{self, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::{
    ContentBuilder, KnownFormat, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
    Schema, SchemaFormat, SecurityRequirement, Type,
};

use super::failures::{self, JSON, with_headers};
use crate::http::Access;
use crate::http::error_codes::{self as codes, ErrorCode};
use crate::http::inputs::{SchemaOf, Schemas};
use crate::http::routes::{Reply, Route, Verb};

/// The names of the security schemes.
pub(super) const BEARER: &str = "bearer";
pub(super) const BASIC: &str = "basic";
pub(super) const COOKIE: &str = "cookie";
pub(super) const API_KEY: &str = "api_key";
/// Marks the description of a route that answers every method alike.
pub(crate) const EVERY_METHOD: &str = "x-every-method";
const FORM: &str = "application/x-www-form-urlencoded";

/// What operations share, by name.
#[derive(Default)]
pub(super) struct Shared {
    pub schemas: Schemas,
    pub replies: BTreeMap<String, Response>,
}

/// The operation of a route.
pub(super) fn describe(route: &Route, tag: &str, shared: &mut Shared) -> path::Operation {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(route.operation_id))
        .summary(Some(route.summary))
        .description(route.description)
        .tag(tag)
        .securities(Some(security(route.access)))
        .extensions(extensions(route))
        .request_body(route.inputs.body.map(|of| body(of, &mut shared.schemas)));
    let query = route.inputs.query.map(|parameters| parameters());
    for parameter in path_parameters(route).chain(query.into_iter().flatten()) {
        operation = operation.parameter(parameter);
    }
    for (status, codes) in errors_by_status(route) {
        let name = failures::name(&codes);
        operation = operation.response(status.to_string(), Ref::from_response_name(&name));
        let reply = failures::reply(&codes, &mut shared.schemas);
        shared.replies.insert(name, reply);
    }
    for declared in &route.replies {
        let reply = reply(declared, &mut shared.schemas);
        operation = operation.response(declared.status.to_string(), reply);
    }
    operation.build()
}

fn reply(reply: &Reply, schemas: &mut Schemas) -> Response {
    let mut builder = ResponseBuilder::new().description(reply.description);
    if let Some((media_type, of)) = reply.body {
        let content = ContentBuilder::new().schema(Some(of(schemas)));
        builder = builder.content(media_type, content.build());
    }
    with_headers(reply.status, builder)
}

/// A body is required where one of its fields is.
fn body(of: SchemaOf, schemas: &mut Schemas) -> RequestBody {
    let reference = of(schemas);
    let schema = reference.ref_location.rsplit('/').next();
    let required = match schema.and_then(|name| schemas.get(name)) {
        Some(RefOr::T(Schema::Object(object))) if object.required.is_empty() => Required::False,
        _ => Required::True,
    };
    let content = ContentBuilder::new().schema(Some(reference)).build();
    RequestBodyBuilder::new()
        .content(JSON, content.clone())
        .content(FORM, content)
        .required(Some(required))
        .build()
}

/// The declared codes after those that follow from access, path and inputs.
fn errors_by_status(route: &Route) -> BTreeMap<u16, Vec<ErrorCode>> {
    let (path, inputs) = (route.path, route.inputs);
    let mut all = Vec::new();
    let changes = route.method.to_string() != "GET";
    match route.access {
        Access::Public if !changes || route.is_open_to_other_sites => {}
        Access::Public => all.extend([codes::INVALID_REQUEST, codes::CROSS_ORIGIN]),
        Access::Session | Access::Credential | Access::Scope(_) | Access::ApiKey(_) => {
            all.extend([codes::INVALID_REQUEST, codes::UNAUTHORIZED]);
            all.extend([codes::TOKEN_INVALID, codes::TOKEN_EXPIRED]);
            all.push(codes::INVALID_API_KEY);
            // For `GET` as well: a proxy may forward another method.
            all.extend([codes::FORBIDDEN, codes::CROSS_ORIGIN]);
        }
    }
    if matches!(route.access, Access::Scope(_) | Access::ApiKey(_)) {
        all.push(codes::INSUFFICIENT_SCOPE);
    }
    if path.contains("{id}") {
        all.push(codes::NOT_FOUND);
    }
    if path.contains("{token}") {
        all.push(codes::LINK_INVALID);
    }
    if inputs.body.is_some() {
        all.extend([codes::REQUEST_TIMEOUT, codes::PAYLOAD_TOO_LARGE]);
        all.push(codes::UNSUPPORTED_MEDIA_TYPE);
    }
    if inputs.body.is_some() || inputs.query.is_some() {
        all.extend([codes::INVALID_REQUEST, codes::VALIDATION_FAILED]);
    }
    all.extend([codes::INTERNAL_ERROR, codes::UNAVAILABLE]);
    all.extend(&route.errors);

    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    let has_own = |status| route.replies.iter().any(|reply| reply.status == status);
    for code in all.into_iter().filter(|code| !has_own(code.status)) {
        let of_status = by_status.entry(code.status).or_default();
        if !of_status.contains(&code) {
            of_status.push(code);
        }
    }
    by_status
}

/// The credentials that open a route: any of these, with this scope unless it is a session.
fn security(access: Access) -> Vec<SecurityRequirement> {
    let any = |scheme| SecurityRequirement::new(scheme, [""; 0]);
    let scoped = |scheme, scope| SecurityRequirement::new(scheme, [scope]);
    match access {
        Access::Public => vec![],
        Access::Session => vec![any(BEARER), any(COOKIE)],
        Access::Credential => vec![any(BEARER), any(COOKIE), any(API_KEY)],
        Access::Scope(scope) => {
            vec![scoped(BEARER, scope), any(COOKIE), scoped(API_KEY, scope)]
        }
        Access::ApiKey(scope) => vec![
            scoped(BEARER, scope),
            scoped(API_KEY, scope),
            scoped(BASIC, scope),
        ],
    }
}

/// OpenAPI cannot state that a route answers every method.
fn extensions(route: &Route) -> Option<Extensions> {
    matches!(route.method, Verb::Any).then(|| Extensions::from_iter([(EVERY_METHOD, true)]))
}

fn path_parameters(route: &Route) -> impl Iterator<Item = Parameter> {
    let (names, text_id) = (route.path, route.text_id);
    let names = names
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(move |name| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let (schema, about) = match name {
            "id" if text_id.is_some() => (text, text_id),
            "id" => (id(), Some("The id of the resource")),
            "token" => (text, Some("The token from a mailed link")),
            _ => (text, None),
        };
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(about)
            .schema(Some(schema))
            .build()
    })
}

fn id() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1))
}
