//! Where routes are declared: once, each with its access. The same table feeds actix, `cloakroom routes` and the
//! test that tries every route as nobody, as another user and as the owner. A route is public only where it is
//! declared so.

use std::fmt;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Responder, guard};

use super::current::require_session;
use super::origin::refuse_foreign_cookie;
use crate::error::{Error, Result};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever presents a live session.
    Session,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Session => "session",
        })
    }
}

/// One method on one path.
pub struct Route {
    /// The method.
    pub method: Method,
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
    /// Declares a route that anybody may call; a browser that carries our cookie only for our own application, unless
    /// it is a `GET`, which changes nothing.
    pub fn public<F, Args>(&mut self, method: Method, path: &'static str, handler: F) -> &mut Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let changes = method != Method::GET;
        self.add(method, path, Access::Public, move || match changes {
            true => web::to(handler.clone()).wrap(from_fn(refuse_foreign_cookie)),
            false => web::to(handler.clone()),
        })
    }

    /// Declares a route that needs a live session.
    pub fn protected<F, Args>(&mut self, method: Method, path: &'static str, handler: F) -> &mut Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.add(method, path, Access::Session, move || {
            web::to(handler.clone()).wrap(from_fn(require_session))
        })
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
                resource = resource.route(guarded((route.make)(), &route.method));
                allowed.push(route.method.to_string());
                if route.method == Method::GET {
                    allowed.push(Method::HEAD.to_string());
                }
            }
            config.service(resource.default_service(web::to(move || {
                let allowed = allowed.clone();
                async { Err::<HttpResponse, Error>(Error::MethodNotAllowed(allowed)) }
            })));
        }
    }

    fn add(
        &mut self,
        method: Method,
        path: &'static str,
        access: Access,
        make: impl Fn() -> actix_web::Route + Send + Sync + 'static,
    ) -> &mut Self {
        self.table.push(Route { method, path, access, make: Box::new(make) });
        self
    }
}

/// Answers what no route answers.
pub async fn not_found() -> Result<HttpResponse> {
    Err(Error::NotFound)
}

fn guarded(route: actix_web::Route, method: &Method) -> actix_web::Route {
    match *method {
        Method::GET => route.guard(guard::Any(guard::Get()).or(guard::Head())),
        _ => route.method(method.clone()),
    }
}
