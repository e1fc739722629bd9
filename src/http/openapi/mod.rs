//! The API as an OpenAPI 3.1 document, for generators of clients and for readers. It is made from the route table and from
//! the types that handlers read and return; `openapi.json` is its text.
//!
//! In this crate's tests, `TestApp` validates every reply against it.

mod failures;
mod operation;

use utoipa::openapi::path::{HttpMethod, Paths};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Header, HeaderBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi,
    OpenApiBuilder, Type,
};

#[cfg(feature = "validate-replies")]
pub(crate) use self::operation::EVERY_METHOD;
use self::operation::{API_KEY, BASIC, BEARER, COOKIE, Shared};
use crate::http::error_codes;
use crate::http::inputs::schema_of;
use crate::http::respond::Failure;
use crate::http::routes::{Routes, Verb};

const ABOUT: &str = "\
An authentication server in one binary, on SQLite or PostgreSQL.

Request bodies are `application/json` or `application/x-www-form-urlencoded`, up to 64 KiB. Unknown fields are ignored; \
a field of the wrong type is 422 and named in `fields`. Responses are JSON. Times are RFC 3339 in UTC with milliseconds. \
Ids are never reused.

A credential is a session token, an access token or an API key. Send it as `Authorization: Bearer <token>`, an API key \
also as `X-API-Key: <key>`; a sign-in with `\"transport\": \"cookie\"` sets the session cookie. The cookie is ignored \
beside another credential; any other two credentials in one request are 400. API keys and access tokens need the scope of \
the route and cannot manage the account. A request with the cookie that can change something must prove by \
`Sec-Fetch-Site` or `Origin` that the application itself sent it.

Every error has the shape of `Failure`: `code` is stable and for programs, `error` is one sentence for people. `HEAD` is \
answered like `GET`. Any other method that a path does not have is 405 `method_not_allowed`; an unknown path is 404 \
`not_found`.";

/// The document, without the addresses of servers: those are settings.
pub fn document(routes: &Routes) -> OpenApi {
    let mut paths = Paths::new();
    let mut shared = Shared::default();
    for group in &routes.groups {
        for route in &group.routes {
            if let Some(method) = http_method(&route.method) {
                let operation = operation::describe(route, group.tag, &mut shared);
                paths.add_path_operation(route.path, vec![method], operation);
            }
        }
    }
    schema_of::<Failure<'_>>(&mut shared.schemas);
    // Of no route: any path can return it.
    let elsewhere = [error_codes::METHOD_NOT_ALLOWED];
    let reply = failures::reply(&elsewhere, &mut shared.schemas);
    shared.replies.insert(failures::name(&elsewhere), reply);
    let tags = routes.groups.iter().map(|group| {
        TagBuilder::new()
            .name(group.tag)
            .description(Some(group.description))
            .build()
    });

    let mut components = ComponentsBuilder::new()
        .schemas_from_iter(shared.schemas)
        .responses_from_iter(shared.replies)
        .security_scheme(BEARER, bearer())
        .security_scheme(COOKIE, cookie())
        .security_scheme(API_KEY, api_key())
        .security_scheme(BASIC, basic())
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
        .tags(Some(tags.collect::<Vec<_>>()))
        .build()
}

/// The document as text, with a newline at its end.
///
/// # Errors
/// Never: it is made of text and numbers.
pub fn json(routes: &Routes) -> serde_json::Result<String> {
    document(routes).to_pretty_json().map(|text| text + "\n")
}

/// The method that a route is described under: `GET` where it answers all of them.
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
    let about = "A session token, `crs_…`, or an access token. `Token <token>` and `Token token=\"<token>\"` are accepted as well.";
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(about));
    SecurityScheme::Http(scheme.build())
}

fn basic() -> SecurityScheme {
    let about = "An API key as the user name or the password.";
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Basic);
    SecurityScheme::Http(scheme.description(Some(about)).build())
}

fn cookie() -> SecurityScheme {
    let about = "The session token in a cookie, named `cloakroom` if the server is reached by plain HTTP on a loopback address.";
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
        "__Host-cloakroom",
        about,
    )))
}

fn api_key() -> SecurityScheme {
    let about = "An API key, `crk_…`. Also accepted as a bearer token.";
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
            header(text(), "Identifies the request in the server's log"),
        ),
        (
            "Retry-After",
            header(seconds(), "Seconds to wait before the next attempt"),
        ),
        (
            "WWW-Authenticate",
            header(text(), "The fault of the credential (RFC 6750, 3)"),
        ),
        ("Allow", header(text(), "The methods of the path")),
    ]
}
