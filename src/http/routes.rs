//! The route table: each route is declared once, with its access. The same table feeds actix, `cloakroom routes` and the
//! access tests. A route is public only where it is declared so.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Responder, guard};

use super::auth::access::Access;
use super::auth::guard::{authenticate, refuse_foreign_cookie};
use crate::domain::error::{Error, Result};

/// The methods that a route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// This one; `GET` answers `HEAD` as well.
    One(Method),
    /// Whatever a client sends.
    Any,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One(method) => method.as_str(),
            Self::Any => "ANY",
        })
    }
}

/// One method on one path, or all of them.
pub struct Route {
    /// The method.
    pub method: Verb,
    /// The pattern: `/v1/projects/{id}`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    make: Box<dyn Fn() -> actix_web::Route + Send + Sync>,
}

/// The table of routes.
#[derive(Default)]
pub struct Routes {
    table: Vec<Route>,
}

impl Routes {
    /// Declares a public route. Requests with the session cookie must be same-origin, except `GET`, which changes
    /// nothing.
    pub fn public<F, Args>(&mut self, method: Method, path: &'static str, handler: F) -> &mut Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let changes = method != Method::GET;
        self.add(
            Verb::One(method),
            path,
            Access::Public,
            move || match changes {
                true => web::to(handler.clone()).wrap(from_fn(refuse_foreign_cookie)),
                false => web::to(handler.clone()),
            },
        )
    }

    /// Declares a route that needs a live session: all that manages an account, which no machine does.
    pub fn protected<F, Args>(
        &mut self,
        method: Method,
        path: &'static str,
        handler: F,
    ) -> &mut Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.guarded(Verb::One(method), path, Access::Session, handler)
    }

    /// Declares a route for a live credential of any kind.
    pub fn any_credential<F, Args>(
        &mut self,
        method: Method,
        path: &'static str,
        handler: F,
    ) -> &mut Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.guarded(Verb::One(method), path, Access::Credential, handler)
    }

    /// Declares a route for a live session, and for an API key or an access token that has this scope.
    pub fn scoped<F, Args>(
        &mut self,
        method: Method,
        path: &'static str,
        scope: &'static str,
        handler: F,
    ) -> &mut Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.guarded(Verb::One(method), path, Access::Scope(scope), handler)
    }

    /// Declares a route for an API key that has this scope.
    pub fn by_key<F, Args>(
        &mut self,
        method: Method,
        path: &'static str,
        scope: &'static str,
        handler: F,
    ) -> &mut Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.guarded(Verb::One(method), path, Access::ApiKey(scope), handler)
    }

    /// Declares a route that answers every method alike, to a live credential of any kind.
    pub fn every_method<F, Args>(&mut self, path: &'static str, handler: F) -> &mut Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.guarded(Verb::Any, path, Access::Credential, handler)
    }

    /// The table, in the order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.table.iter()
    }

    /// Registers every path with actix. `GET` answers `HEAD` as well; another method is 405 with `Allow`.
    pub fn configure(&self, config: &mut ServiceConfig) {
        let mut done: Vec<&str> = Vec::new();
        for path in self.table.iter().map(|route| route.path) {
            if done.contains(&path) {
                continue;
            }
            done.push(path);
            let mut resource = web::resource(path);
            let mut allowed = Vec::new();
            for route in self.table.iter().filter(|route| route.path == path) {
                resource = resource.route(answering((route.make)(), &route.method));
                allowed.push(route.method.to_string());
                if route.method == Verb::One(Method::GET) {
                    allowed.push(Method::HEAD.to_string());
                }
            }
            config.service(resource.default_service(web::to(move || {
                let allowed = allowed.clone();
                async { Err::<HttpResponse, Error>(Error::MethodNotAllowed(allowed)) }
            })));
        }
    }

    fn guarded<F, Args>(
        &mut self,
        method: Verb,
        path: &'static str,
        access: Access,
        handler: F,
    ) -> &mut Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.add(method, path, access, move || {
            web::to(handler.clone()).wrap(from_fn(
                move |request: ServiceRequest, next: Next<BoxBody>| {
                    authenticate(access, request, next)
                },
            ))
        })
    }

    fn add(
        &mut self,
        method: Verb,
        path: &'static str,
        access: Access,
        make: impl Fn() -> actix_web::Route + Send + Sync + 'static,
    ) -> &mut Self {
        self.table.push(Route {
            method,
            path,
            access,
            make: Box::new(make),
        });
        self
    }
}

/// Answers what no route answers.
pub async fn not_found() -> Result<HttpResponse> {
    Err(Error::NotFound)
}

fn answering(route: actix_web::Route, method: &Verb) -> actix_web::Route {
    match method {
        Verb::One(Method::GET) => route.guard(guard::Any(guard::Get()).or(guard::Head())),
        Verb::One(method) => route.method(method.clone()),
        Verb::Any => route,
    }
}
