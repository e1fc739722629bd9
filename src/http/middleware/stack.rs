//! All layers as one middleware, around every route and 404. From the outside in: request id, access log, security
//! headers, error bodies, the connection, CORS (which answers preflights before authentication), and panics.

use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_cors::Cors;
use actix_service::boxed::{RcService, rc_service};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::middleware::from_fn;
use actix_web::{Error, web};
use futures_util::FutureExt;

use super::{access_log, catch_panic, connection, cors, error_body, request_id, security_headers};
use crate::context::Context;

/// The layers, for [`actix_web::App::wrap`].
#[derive(Clone)]
pub struct Middleware {
    context: web::Data<Context>,
    cors: Rc<Cors>,
    without_preflight: Rc<[String]>,
    /// How many routes there are, to count their requests.
    routes: usize,
}

impl Middleware {
    /// From the context's settings; `without_preflight` are paths that answer `OPTIONS` themselves, and `routes` is the
    /// number of all paths.
    pub fn new(context: web::Data<Context>, without_preflight: Vec<String>, routes: usize) -> Self {
        let cors = Rc::new(cors::cors(&context.settings.cors));
        Self {
            context,
            cors,
            without_preflight: without_preflight.into(),
            routes,
        }
    }

    fn around<S, B>(&self, service: S) -> Result<Layers, ()>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: MessageBody + 'static,
    {
        let (id, log) = (self.context.clone(), self.context.clone());
        let behind = rc_service(wrap(&from_fn(catch_panic::catch), service)?);
        let service = wrap(&self.cors, Rc::clone(&behind))?;
        let admit = move |request, cors| cors::admit(Rc::clone(&behind), request, cors);
        let service = wrap(&from_fn(admit), service)?;
        let paths = Rc::clone(&self.without_preflight);
        let skip = move |request, next| cors::skip(Rc::clone(&paths), request, next);
        let service = wrap(&from_fn(skip), service)?;
        let service = wrap(&from_fn(connection::report), service)?;
        let service = wrap(&from_fn(error_body::write), service)?;
        let hsts = security_headers::hsts(&self.context.settings.server);
        let secure = move |request, next| security_headers::add(hsts, request, next);
        let service = wrap(&from_fn(secure), service)?;
        let counts = self.context.metrics.requests.add_worker(self.routes);
        let log =
            move |request, next| access_log::write(log.clone(), Arc::clone(&counts), request, next);
        let service = wrap(&from_fn(log), service)?;
        let id = move |request, next| request_id::assign(id.clone(), request, next);
        let service = wrap(&from_fn(id), service)?;
        Ok(rc_service(service))
    }
}

type Layers = RcService<ServiceRequest, ServiceResponse<BoxBody>, Error>;

impl<S, B> Transform<S, ServiceRequest> for Middleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = Layers;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(self.around(service))
    }
}

/// Puts one layer around a service. None of the layers waits to be made.
fn wrap<S, T>(layer: &T, service: S) -> Result<T::Transform, ()>
where
    T: Transform<S, ServiceRequest, InitError = ()>,
{
    layer
        .new_transform(service)
        .now_or_never()
        .unwrap_or(Err(()))
}
