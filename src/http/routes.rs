//! The route table: each route is declared once, with its access and its description. The same table feeds actix,
//! `cloakroom routes`, the OpenAPI document and the access tests. A route is public only where it is declared so.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::guard::{self, GuardContext};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{Handler, HttpMessage, HttpResponse, Responder};
use utoipa::ToSchema;

use super::auth::access::Access;
use super::auth::guard::{authenticate, refuse_foreign_pages};
use super::error_codes::{self, ErrorCode};
use super::inputs::{Input, Inputs, SchemaOf, schema_of};
use crate::domain::error::{Error, Result};

const JSON: &str = "application/json";

/// The methods that a route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// This one; `GET` answers `HEAD` as well.
    One(Method),
    /// Every method but `TRACE`, which would show a script the headers that a browser adds.
    Any,
}

impl Verb {
    fn overlaps(&self, other: &Self) -> bool {
        self == other || matches!((self, other), (Self::Any, _) | (_, Self::Any))
    }

    /// For `Allow`.
    fn names(&self) -> Vec<String> {
        let methods = match self {
            Self::One(Method::GET) => &[Method::GET, Method::HEAD][..],
            Self::One(method) => std::slice::from_ref(method),
            Self::Any => &[
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
                Method::OPTIONS,
            ],
        };
        methods.iter().map(Method::to_string).collect()
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One(method) => method.as_str(),
            Self::Any => "ANY",
        })
    }
}

/// One method on one path, or all of them: its handler, who may call it, and what the document says about it.
///
/// Path parameters, the query, the body, and the errors that follow from these and from the access are not declared:
/// they are taken from the path and from the types that the handler reads.
pub struct Route {
    /// The method.
    pub method: Verb,
    /// The pattern: `/v1/projects/{id}`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Clients name their methods after it, so it never changes.
    pub operation_id: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What the summary leaves open.
    pub description: Option<&'static str>,
    /// What `{id}` in the path is, where it is no number.
    pub text_id: Option<&'static str>,
    /// What the handler reads.
    pub inputs: Inputs,
    /// Replies, each of another status.
    pub replies: Vec<Reply>,
    /// Error codes besides those that follow from access and inputs.
    pub errors: Vec<ErrorCode>,
    /// Whether pages of other sites may call it, although it is public and no `GET`.
    pub is_open_to_other_sites: bool,
    make: Box<dyn Fn(bool) -> actix_web::Route + Send + Sync>,
}

/// A documented reply.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// One line.
    pub description: &'static str,
    /// Media type and schema; `None` without a body.
    pub body: Option<(&'static str, SchemaOf)>,
}

/// What can handle a route.
pub trait Endpoint<A>: Handler<A, Output: Responder + 'static> + Send + Sync {}

impl<A, F: Handler<A, Output: Responder + 'static> + Send + Sync> Endpoint<A> for F {}

macro_rules! constructors {
    ($($name:ident $method:ident,)+) => {
        $(
            #[doc = concat!("A route for `", stringify!($method), "`.")]
            pub fn $name<A: Input>(
                path: &'static str,
                access: Access,
                handler: impl Endpoint<A>,
            ) -> Self {
                Self::new(Verb::One(Method::$method), path, access, handler)
            }
        )+
    };
}

impl Route {
    constructors! { get GET, post POST, put PUT, patch PATCH, delete DELETE, }

    /// A route that answers every method alike.
    pub fn any<A: Input>(path: &'static str, access: Access, handler: impl Endpoint<A>) -> Self {
        Self::new(Verb::Any, path, access, handler)
    }

    fn new<A: Input>(
        method: Verb,
        path: &'static str,
        access: Access,
        handler: impl Endpoint<A>,
    ) -> Self {
        let mut inputs = Inputs::default();
        A::describe(&mut inputs);
        let is_get = method == Verb::One(Method::GET);
        let make = move |is_open_to_other_sites: bool| {
            let route = web::to(handler.clone());
            match access {
                // A `GET` changes nothing, so it may come from another origin.
                Access::Public if is_get || is_open_to_other_sites => route,
                Access::Public => route.wrap(from_fn(refuse_foreign_pages)),
                _ => route.wrap(from_fn(
                    move |request: ServiceRequest, next: Next<BoxBody>| {
                        authenticate(access, request, next)
                    },
                )),
            }
        };
        Self {
            method,
            path,
            access,
            operation_id: "",
            summary: "",
            description: None,
            text_id: None,
            inputs,
            replies: Vec::new(),
            errors: Vec::new(),
            is_open_to_other_sites: false,
            make: Box::new(make),
        }
    }

    /// Lets pages of other sites call it: it takes no cookie.
    pub fn open_to_other_sites(mut self) -> Self {
        self.is_open_to_other_sites = true;
        self
    }

    /// Names the operation.
    pub fn operation(mut self, id: &'static str, summary: &'static str) -> Self {
        (self.operation_id, self.summary) = (id, summary);
        self
    }

    /// States what the summary leaves open.
    pub fn description(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// States what `{id}` in the path is, where it is no number: paths that differ in the names of their parameters only
    /// are one path.
    pub fn text_id(mut self, about: &'static str) -> Self {
        self.text_id = Some(about);
        self
    }

    /// Declares a reply with a JSON body. One of an error status replaces the reply that follows from the codes.
    pub fn returns<T: ToSchema>(self, status: u16, description: &'static str) -> Self {
        self.returns_as::<T>(JSON, status, description)
    }

    /// Declares a reply with a body of another media type.
    pub fn returns_as<T: ToSchema>(
        self,
        media_type: &'static str,
        status: u16,
        description: &'static str,
    ) -> Self {
        self.reply(status, description, Some((media_type, schema_of::<T>)))
    }

    /// Declares a reply without a body.
    pub fn returns_no_body(self, status: u16, description: &'static str) -> Self {
        self.reply(status, description, None)
    }

    fn reply(
        mut self,
        status: u16,
        description: &'static str,
        body: Option<(&'static str, SchemaOf)>,
    ) -> Self {
        self.replies.push(Reply {
            status,
            description,
            body,
        });
        self
    }

    /// Declares error codes besides those that follow from access and inputs.
    pub fn errors(mut self, codes: &[ErrorCode]) -> Self {
        self.errors.extend(codes);
        self
    }

    /// Declares that requests are counted against limits.
    pub fn rate_limited(self) -> Self {
        self.errors(&[error_codes::RATE_LIMITED])
    }
}

/// Routes under one heading of the document.
pub struct Group {
    /// The heading: the tag of its operations.
    pub tag: &'static str,
    /// One line.
    pub description: &'static str,
    /// The routes.
    pub routes: Vec<Route>,
}

/// The table of routes.
#[derive(Default)]
pub struct Routes {
    /// In the order of the document.
    pub groups: Vec<Group>,
}

impl Routes {
    /// Adds a heading with the routes of some features.
    pub fn group<const N: usize>(
        mut self,
        tag: &'static str,
        description: &'static str,
        features: [Vec<Route>; N],
    ) -> Self {
        self.groups.push(Group {
            tag,
            description,
            routes: features.into_iter().flatten().collect(),
        });
        self
    }

    /// Every route.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.groups.iter().flat_map(|group| &group.routes)
    }

    /// The first route that an earlier one answers already: of the same path, or of one that differs in the names of its
    /// parameters only.
    pub fn duplicate(&self) -> Option<&Route> {
        let routes: Vec<&Route> = self.iter().collect();
        let repeats = |at: usize| {
            let route = routes[at];
            routes[..at].iter().any(|earlier| {
                shape(earlier.path).eq(shape(route.path)) && earlier.method.overlaps(&route.method)
            })
        };
        (0..routes.len())
            .find(|&at| repeats(at))
            .map(|at| routes[at])
    }

    /// The paths that answer every method, `OPTIONS` included.
    pub fn answering_all_methods(&self) -> Vec<&'static str> {
        let all = self.iter().filter(|route| route.method == Verb::Any);
        all.map(|route| route.path).collect()
    }

    /// Every path, in the order in which actix tries them. Its place is its [`RouteNumber`].
    pub fn paths(&self) -> Vec<&'static str> {
        let mut paths: Vec<&str> = self.iter().map(|route| route.path).collect();
        // actix tries path after path: those with parameters, which take longer, come last, and those that verify a
        // credential of any kind, which are most requests, first.
        let verifies = |path: &str| {
            let any = |route: &Route| {
                matches!(
                    route.access,
                    Access::Credential | Access::Scope(_) | Access::ApiKey(_)
                )
            };
            self.iter().any(|route| route.path == path && any(route))
        };
        paths.sort_by_key(|path| (path.contains('{'), !verifies(path), *path));
        paths.dedup();
        paths
    }

    /// Registers every path with actix. `GET` answers `HEAD` as well; another method is 405 with `Allow`.
    pub fn configure(&self, config: &mut ServiceConfig) {
        for (number, path) in self.paths().into_iter().enumerate() {
            let mut resource = web::resource(path).guard(guard::fn_guard(move |request| {
                RouteNumber::note(request, number);
                true
            }));
            let mut allowed = Vec::new();
            for route in self.iter().filter(|route| route.path == path) {
                let made = (route.make)(route.is_open_to_other_sites);
                resource = resource.route(answering(made, &route.method));
                allowed.extend(route.method.names());
            }
            config.service(resource.default_service(web::to(move || {
                let allowed = allowed.clone();
                async { Err::<HttpResponse, Error>(Error::MethodNotAllowed(allowed)) }
            })));
        }
    }
}

/// The number of the route that answers a request, once it is found: for what is counted by route. A handle, so that a
/// request that is dropped has it too.
#[derive(Clone)]
pub(super) struct RouteNumber(Rc<Cell<Option<usize>>>);

impl RouteNumber {
    /// Of this request, before it is routed.
    pub fn expect(request: &ServiceRequest) -> Self {
        let number = Self(Rc::default());
        request.extensions_mut().insert(number.clone());
        number
    }

    /// The place in [`Routes::paths`]; `None` if no route of the table has this path.
    pub fn get(&self) -> Option<usize> {
        self.0.get()
    }

    fn note(request: &GuardContext<'_>, number: usize) {
        if let Some(expected) = request.req_data().get::<Self>() {
            expected.0.set(Some(number));
        }
    }
}

/// The segments of a pattern, with parameters of one name.
fn shape(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .map(|segment| match segment.starts_with('{') {
            true => "{}",
            false => segment,
        })
}

/// Answers what no route answers.
pub async fn not_found() -> Result<HttpResponse> {
    Err(Error::NotFound)
}

fn answering(route: actix_web::Route, method: &Verb) -> actix_web::Route {
    match method {
        Verb::One(Method::GET) => route.guard(guard::Any(guard::Get()).or(guard::Head())),
        Verb::One(method) => route.method(method.clone()),
        Verb::Any => route.guard(guard::Not(guard::Trace())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duplicate(routes: Vec<Route>) -> Option<String> {
        let routes = Routes::default().group("One", "", [routes]);
        let found = routes.duplicate();
        found.map(|route| format!("{} {}", route.method, route.path))
    }

    fn get(path: &'static str) -> Route {
        Route::get(path, Access::Public, not_found)
    }

    #[test]
    fn a_route_that_an_earlier_one_answers_is_a_duplicate() {
        let post = |path| Route::post(path, Access::Public, not_found);
        let any = |path| Route::any(path, Access::Public, not_found);
        for (routes, expected) in [
            (vec![get("/a"), get("/b"), get("/a")], "GET /a"),
            (vec![get("/a/{id}"), get("/a/{name}")], "GET /a/{name}"),
            (vec![any("/a"), post("/a")], "POST /a"),
            (vec![post("/a"), any("/a")], "ANY /a"),
        ] {
            assert_eq!(duplicate(routes).as_deref(), Some(expected));
        }
        let apart = vec![
            get("/a"),
            post("/a"),
            get("/a/{id}"),
            any("/b"),
            get("/a/b/c"),
        ];
        assert_eq!(duplicate(apart), None);
    }

    #[test]
    fn the_server_has_no_duplicate_routes() {
        assert!(crate::features::routes().duplicate().is_none());
    }
}
