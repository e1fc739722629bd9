//! The contract as a document, OpenAPI 3.1: what generators of clients and readers of the API go by. `openapi.json` is
//! what it comes to.
//!
//! The table of routes says method, path and who may call; `operations` says the rest, a few lines a route; what bodies
//! and replies look like are the types in `schemas`. Handlers know nothing of it, so that a feature can be read without.
//! What keeps it true is checked, not hoped for: each route is described once, and in tests every reply that the server
//! gives is compared with the document (`agreement`), to the last field.

#[cfg(feature = "testing")]
pub(crate) mod agreement;
mod failures;
mod operation;
mod operations;
mod schemas;

use utoipa::PartialSchema;
use utoipa::openapi::path::{HttpMethod, Paths};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Header, HeaderBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi,
    OpenApiBuilder, Type,
};

use self::operation::{API_KEY, BEARER, COOKIE, Shared};
use crate::http::error_codes;
use crate::http::routes::{Route, Routes, Verb};

const ABOUT: &str = "\
An authentication server in one binary and one SQLite file.

A body comes as `application/json` or `application/x-www-form-urlencoded`, up to 64 KiB. Unknown fields are ignored; a \
field of the wrong type is 422 and names it. Every reply is JSON. Times are RFC 3339 in UTC with milliseconds; ids are \
never reused.

A credential is a session's token, an access token or an API key: `Authorization: Bearer <token>`, for an API key \
`X-API-Key: <key>` as well, and for a session the cookie that a sign-in with `\"transport\": \"cookie\"` sets. Beside one \
of the others the cookie is not looked at; otherwise two credentials in one request are 400. API keys and access tokens \
need the scope that a route names, and never manage the account. What can change something and comes with the cookie must show by `Sec-Fetch-Site` or `Origin` that the application \
itself sent it.

A failure always has the shape of `Failure`. Its `code` is for programs and stays; its `error` is one sentence for \
people. `GET` answers `HEAD` as well. Any other method that a path does not have is 405 `method_not_allowed`, and a path \
that does not exist 404 `not_found`.";

/// The document, without the addresses of servers: those are settings.
pub fn document(routes: &Routes) -> OpenApi {
    let mut paths = Paths::new();
    let mut tags = Vec::new();
    let mut shared = Shared::default();
    for group in operations::GROUPS {
        tags.push(
            TagBuilder::new()
                .name(group.tag)
                .description(Some(group.about))
                .build(),
        );
        for operation in (group.operations)() {
            let Some(route) = routes.iter().find(|route| name(route) == operation.route) else {
                continue;
            };
            if let Some(method) = http_method(&route.method) {
                let described = operation.describe(group.tag, route, &mut shared);
                paths.add_path_operation(route.path, vec![method], described);
            }
        }
    }
    shared
        .schemas
        .insert("Failure".to_owned(), schemas::Failure::schema());
    let elsewhere = [error_codes::METHOD_NOT_ALLOWED];
    shared
        .replies
        .insert(failures::name(&elsewhere), failures::reply(&elsewhere));

    let mut components = ComponentsBuilder::new()
        .schemas_from_iter(shared.schemas)
        .responses_from_iter(shared.replies)
        .security_scheme(BEARER, bearer())
        .security_scheme(COOKIE, cookie())
        .security_scheme(API_KEY, api_key())
        .build();
    components
        .headers
        .extend(headers().map(|(name, header)| (name.to_owned(), header.into())));
    let info = InfoBuilder::new()
        .title("Cloakroom")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(
            LicenseBuilder::new()
                .name(env!("CARGO_PKG_LICENSE"))
                .identifier(Some(env!("CARGO_PKG_LICENSE")))
                .build(),
        ));
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags))
        .build()
}

/// The document as text, with a newline at its end.
///
/// # Errors
/// Never: it is made of text and numbers.
pub fn json(routes: &Routes) -> serde_json::Result<String> {
    document(routes).to_pretty_json().map(|text| text + "\n")
}

/// A route as `operations` names it: `POST /v1/session`.
fn name(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

/// The method that a route is described under; that is `GET` where it answers every one.
fn http_method(verb: &Verb) -> Option<HttpMethod> {
    let Verb::One(method) = verb else {
        return Some(HttpMethod::Get);
    };
    Some(match method.as_str() {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => return None,
    })
}

fn bearer() -> SecurityScheme {
    let about = "A session's token, `crs_…`, or an access token. `Token <token>` and `Token token=\"<token>\"` are read as well.";
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(about));
    SecurityScheme::Http(scheme.build())
}

fn cookie() -> SecurityScheme {
    let about = "The same token in a cookie. Where the server is reached by plain http on this machine, its name is \
                 `cloakroom`.";
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
        "__Host-cloakroom",
        about,
    )))
}

fn api_key() -> SecurityScheme {
    let about = "An API key, `crk_…`. It may come as a bearer token, too.";
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
        "X-API-Key",
        about,
    )))
}

fn headers() -> [(&'static str, Header); 4] {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let seconds = || {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
    };
    let header = |schema: ObjectBuilder, about: &str| {
        HeaderBuilder::new()
            .schema(Some(schema))
            .description(Some(about))
            .build()
    };
    [
        (
            "X-Request-Id",
            header(text(), "Names the request in the server's log"),
        ),
        (
            "Retry-After",
            header(seconds(), "How many seconds to wait before the next try"),
        ),
        (
            "WWW-Authenticate",
            header(
                text(),
                "What is wrong with the credential, as RFC 6750 has it",
            ),
        ),
        ("Allow", header(text(), "The methods that the path has")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features;

    #[test]
    fn routes_and_descriptions_correspond() {
        let routes = features::routes();
        let mut declared: Vec<String> = routes.iter().map(name).collect();
        let described = operations::GROUPS
            .iter()
            .flat_map(|group| (group.operations)());
        let mut described: Vec<&str> = described.map(|operation| operation.route).collect();
        declared.sort();
        described.sort();
        assert_eq!(declared, described, "change src/openapi/operations.rs");
    }
}
