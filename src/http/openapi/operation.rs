//! One route, described: what it is called, takes and gives. What follows from the route itself is not written down
//! again but derived: its path's parameters, the credentials, and the failures that every route of its kind has.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{self, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    ContentBuilder, KnownFormat, Object, ObjectBuilder, Ref, RefOr, Required, Response,
    ResponseBuilder, Schema, SchemaFormat, SecurityRequirement, Type,
};

use super::failures::{self, ByStatus, JSON};
use crate::http::Access;
use crate::http::error_codes::{self, ErrorCode};
use crate::http::routes::{Route, Verb};

/// The names of the security schemes.
pub(super) const BEARER: &str = "bearer";
pub(super) const COOKIE: &str = "cookie";
pub(super) const API_KEY: &str = "api_key";
/// Stands in a description that holds for every method.
pub(in crate::http) const EVERY_METHOD: &str = "x-every-method";
const FORM: &str = "application/x-www-form-urlencoded";
/// The name of `/ready`'s own failure among the components.
const NOT_READY: &str = "NotReady";

/// What is known of a route besides its method, its path and who may call it.
pub(in crate::http) struct Operation {
    /// `POST /v1/session`, as the table of routes has it.
    pub route: &'static str,
    id: &'static str,
    summary: &'static str,
    description: Option<&'static str>,
    body: Option<(RefOr<Schema>, Required)>,
    query: Vec<Parameter>,
    successes: Vec<(u16, ResponseBuilder)>,
    failures: Vec<ErrorCode>,
    tells_reason: bool,
    schemas: Schemas,
}

/// What the routes share, by name.
#[derive(Default)]
pub(in crate::http) struct Shared {
    pub schemas: BTreeMap<String, RefOr<Schema>>,
    pub replies: BTreeMap<String, Response>,
}

type Schemas = Vec<(String, RefOr<Schema>)>;

/// Begins the description of a route. Clients name their methods after `id`, so it never changes.
pub(in crate::http) fn on(
    route: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        route,
        id,
        summary,
        description: None,
        body: None,
        query: Vec::new(),
        successes: Vec::new(),
        failures: Vec::new(),
        tells_reason: false,
        schemas: Schemas::new(),
    }
}

impl Operation {
    /// What the summary leaves open.
    pub fn says(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// It reads a body of this form.
    pub fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some((self.reference::<T>(), Required::True));
        self
    }

    /// It reads a body of this form, if there is one.
    pub fn may_take<T: ToSchema>(mut self) -> Self {
        self.body = Some((self.reference::<T>(), Required::False));
        self
    }

    /// It reads a parameter of the query, which may be absent.
    pub fn query(mut self, name: &'static str, schema: ObjectBuilder, about: &'static str) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .description(Some(about))
            .schema(Some(schema));
        self.query.push(parameter.build());
        self
    }

    /// It answers with this.
    pub fn gives<T: ToSchema>(self, status: u16, about: &'static str) -> Self {
        self.gives_as::<T>(JSON, status, about)
    }

    /// It answers with this, under a media type of its own.
    pub fn gives_as<T: ToSchema>(
        mut self,
        media_type: &'static str,
        status: u16,
        about: &'static str,
    ) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(self.reference::<T>()))
            .build();
        self.successes.push((
            status,
            ResponseBuilder::new()
                .description(about)
                .content(media_type, content),
        ));
        self
    }

    /// It answers without a body.
    pub fn gives_nothing(self, about: &'static str) -> Self {
        self.gives_no_body(204, about)
    }

    /// It answers that what the caller has is still true.
    pub fn gives_unchanged(self, about: &'static str) -> Self {
        self.gives_no_body(304, about)
    }

    fn gives_no_body(mut self, status: u16, about: &'static str) -> Self {
        self.successes
            .push((status, ResponseBuilder::new().description(about)));
        self
    }

    /// It can fail with these codes besides those that follow from the route.
    pub fn fails(mut self, codes: &[ErrorCode]) -> Self {
        self.failures.extend(codes);
        self
    }

    /// It counts against limits.
    pub fn throttled(self) -> Self {
        self.fails(&[error_codes::RATE_LIMITED])
    }

    /// Where it is unavailable, the code is the reason.
    pub fn tells_reason(mut self) -> Self {
        self.tells_reason = true;
        self
    }

    /// The whole description, on the route that it is about.
    pub fn describe(self, tag: &str, route: &Route, shared: &mut Shared) -> path::Operation {
        let (path, access) = (route.path, route.access);
        let parameters = path_parameters(path);
        let mut operation = OperationBuilder::new()
            .operation_id(Some(self.id))
            .summary(Some(self.summary))
            .description(self.description)
            .tag(tag)
            .securities(Some(credentials(access)))
            .extensions(extensions(route));
        for (status, codes) in self.failures_on(route) {
            let (name, reply) = match (self.tells_reason, status) {
                (true, 503) => (NOT_READY.to_owned(), failures::not_ready()),
                _ => (failures::name(&codes), failures::reply(&codes)),
            };
            operation = operation.response(status.to_string(), Ref::from_response_name(&name));
            shared.replies.insert(name, reply);
        }
        for (status, reply) in self.successes {
            let reply = reply.header_ref("X-Request-Id", failures::header("X-Request-Id"));
            operation = operation.response(status.to_string(), reply);
        }
        for parameter in parameters.into_iter().chain(self.query) {
            operation = operation.parameter(parameter);
        }
        if let Some((schema, required)) = self.body {
            let content = ContentBuilder::new().schema(Some(schema)).build();
            let body = RequestBodyBuilder::new()
                .content(JSON, content.clone())
                .content(FORM, content);
            operation = operation.request_body(Some(body.required(Some(required)).build()));
        }
        shared.schemas.extend(self.schemas);
        operation.build()
    }

    /// What it can fail with: its own codes behind those that follow from the route.
    fn failures_on(&self, route: &Route) -> ByStatus {
        let (path, access) = (route.path, route.access);
        let mut codes = Vec::new();
        let changes = route.method.to_string() != "GET";
        match access {
            Access::Public if !changes => {}
            Access::Public => {
                codes.extend([error_codes::INVALID_REQUEST, error_codes::CROSS_ORIGIN]);
            }
            Access::Session | Access::Credential | Access::Scope(_) | Access::ApiKey(_) => {
                codes.extend([error_codes::INVALID_REQUEST, error_codes::UNAUTHORIZED]);
                codes.extend([
                    error_codes::TOKEN_INVALID,
                    error_codes::TOKEN_EXPIRED,
                    error_codes::INVALID_API_KEY,
                ]);
                // Of a `GET`, too: a proxy may ask about another method.
                codes.extend([error_codes::FORBIDDEN, error_codes::CROSS_ORIGIN]);
            }
        }
        if matches!(access, Access::Scope(_) | Access::ApiKey(_)) {
            codes.push(error_codes::INSUFFICIENT_SCOPE);
        }
        if path.contains("{id}") {
            codes.push(error_codes::NOT_FOUND);
        }
        if path.contains("{token}") {
            codes.push(error_codes::LINK_INVALID);
        }
        if self.body.is_some() {
            codes.extend([error_codes::REQUEST_TIMEOUT, error_codes::PAYLOAD_TOO_LARGE]);
            codes.push(error_codes::UNSUPPORTED_MEDIA_TYPE);
        }
        if self.body.is_some() || !self.query.is_empty() {
            codes.extend([error_codes::INVALID_REQUEST, error_codes::VALIDATION_FAILED]);
        }
        codes.extend([error_codes::INTERNAL_ERROR, error_codes::UNAVAILABLE]);
        codes.extend(&self.failures);

        let mut by_status = ByStatus::new();
        for code in codes {
            let of_status = by_status.entry(code.status).or_default();
            if !of_status.contains(&code) {
                of_status.push(code);
            }
        }
        by_status
    }

    fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name();
        self.schemas.push((name.to_string(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(name).into()
    }
}

/// Which credentials open a route: one of these, with this scope where it is not a session.
fn credentials(access: Access) -> Vec<SecurityRequirement> {
    let any = |scheme| SecurityRequirement::new(scheme, [""; 0]);
    match access {
        Access::Public => vec![],
        Access::Session => vec![any(BEARER), any(COOKIE)],
        Access::Credential => vec![any(BEARER), any(COOKIE), any(API_KEY)],
        Access::Scope(scope) => {
            vec![
                SecurityRequirement::new(BEARER, [scope]),
                any(COOKIE),
                SecurityRequirement::new(API_KEY, [scope]),
            ]
        }
        Access::ApiKey(scope) => {
            vec![
                SecurityRequirement::new(BEARER, [scope]),
                SecurityRequirement::new(API_KEY, [scope]),
            ]
        }
    }
}

/// Says of a route that answers every method what OpenAPI has no word for.
fn extensions(route: &Route) -> Option<Extensions> {
    matches!(route.method, Verb::Any).then(|| Extensions::from_iter([(EVERY_METHOD, true)]))
}

fn path_parameters(path: &str) -> Vec<Parameter> {
    let names = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters = names.map(|name| {
        let (schema, about) = match name {
            "id" => (id(), "Its id"),
            _ => (
                ObjectBuilder::new().schema_type(Type::String).build(),
                "The token from the link in a mail",
            ),
        };
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(schema))
            .build()
    });
    parameters.collect()
}

fn id() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1))
        .build()
}
