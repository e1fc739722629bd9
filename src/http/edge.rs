//! The outermost layer, around every route and every failure to find one. From the outside in: the request's id,
//! its log line and the headers of every reply; CORS, which answers a preflight before anybody is asked who they
//! are; and a net under panics.

use std::future::{Future, Ready, ready};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use actix_cors::Cors;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpResponse, web};
use futures_util::FutureExt;

use super::client::{self, RequestId};
use super::connection::Connection;
use super::current;
use super::headers::{X_REQUEST_ID, secure};
use super::respond;
use crate::config;
use crate::context::Context;
use crate::error::Error;
use crate::token::fill_random;

type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// The layer, for [`actix_web::App::wrap`].
#[derive(Clone)]
pub struct Edge {
    context: web::Data<Context>,
    cors: Rc<Cors>,
}

impl Edge {
    /// From the context's settings.
    pub fn new(context: web::Data<Context>) -> Self {
        let cors = Rc::new(cors(&context.settings.cors));
        Self { context, cors }
    }
}

/// Who may call from a browser: exact origins, no wildcard with credentials.
fn cors(settings: &config::Cors) -> Cors {
    let cors = Cors::default()
        .allowed_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::HEAD,
        ])
        .allowed_headers([ACCEPT, AUTHORIZATION, CONTENT_TYPE, X_REQUEST_ID])
        .expose_headers([X_REQUEST_ID, RETRY_AFTER, WWW_AUTHENTICATE])
        .max_age(usize::try_from(settings.max_age.as_secs()).unwrap_or(usize::MAX));
    let cors = settings
        .origins
        .iter()
        .fold(cors, |cors, origin| match origin.as_str() {
            "*" => cors.allow_any_origin().send_wildcard(),
            exact => cors.allowed_origin(exact),
        });
    if settings.credentials {
        cors.supports_credentials()
    } else {
        cors
    }
}

impl<S, B> Transform<S, ServiceRequest> for Edge
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = actix_web::Error;
    type Transform = EdgeService<<Cors as Transform<CatchPanic<S>, ServiceRequest>>::Transform>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let context = self.context.clone();
        let cors = self.cors.new_transform(CatchPanic { service }).into_inner();
        ready(cors.map(|service| EdgeService { service, context }))
    }
}

/// The layer at work, around CORS.
pub struct EdgeService<S> {
    service: S,
    context: web::Data<Context>,
}

impl<S, B> Service<ServiceRequest> for EdgeService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = actix_web::Error;
    type Future = LocalFuture<Result<Self::Response, Self::Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let passage = Passage::begin(&self.context, &request);
        request
            .extensions_mut()
            .insert(RequestId(passage.request_id.clone()));
        let answering = request
            .request()
            .conn_data::<Connection>()
            .map(Connection::answering);
        let reply = self.service.call(request);
        Box::pin(async move {
            let _answering = answering;
            match reply.await {
                Ok(reply) => {
                    let mut reply = reply.map_into_boxed_body();
                    passage.log(&reply);
                    let response = std::mem::replace(reply.response_mut(), HttpResponse::new(StatusCode::OK));
                    let body = response.error().map(|failure| passage.body(failure));
                    *reply.response_mut() = passage.finish(response, body);
                    Ok(reply)
                }
                // Without its request there is no reply to hold it yet: actix makes one from the failure.
                Err(mut failure) => {
                    passage.log_failure(&failure);
                    // And that one does not remember what it was made from, so its body is written here.
                    let body = passage.body(&failure);
                    failure.add_response_mapper(move |response| passage.finish(response, Some(body.clone())));
                    Err(failure)
                }
            }
        })
    }
}

/// What one request's log line and reply need, taken before the request moves on.
#[derive(Clone)]
struct Passage {
    started: Instant,
    method: Method,
    request_id: String,
    client: std::net::IpAddr,
    https: bool,
}

impl Passage {
    fn begin(context: &Context, request: &ServiceRequest) -> Self {
        let server = &context.settings.server;
        Self {
            started: Instant::now(),
            method: request.method().clone(),
            request_id: request_id(request, context),
            client: client::address(request.request(), &server.trusted_proxies),
            https: server.public_url.scheme() == "https",
        }
    }

    /// One line a request. The route's pattern, never the path: a reset link's token stands in that.
    fn log(&self, reply: &ServiceResponse) {
        let status = reply.status();
        let route = reply.request().match_pattern();
        let user = current::known(reply.request()).map(|current| current.user.id.0);
        tracing::info!(
            target: "cloakroom::request",
            method = %self.method,
            route = route.as_deref().unwrap_or("-"),
            status = status.as_u16(),
            ms = self.elapsed_ms(),
            request_id = %self.request_id,
            user,
            client = %self.client,
        );
        if let Some(failure) = reply.response().error() {
            self.log_fault(failure);
        }
    }

    fn log_failure(&self, failure: &actix_web::Error) {
        tracing::info!(
            target: "cloakroom::request",
            method = %self.method,
            route = "-",
            status = failure.as_response_error().status_code().as_u16(),
            ms = self.elapsed_ms(),
            request_id = %self.request_id,
            client = %self.client,
        );
        self.log_fault(failure);
    }

    /// Why we could not do it. What the caller did wrong is in the status already.
    fn log_fault(&self, failure: &actix_web::Error) {
        match failure.as_error::<Error>() {
            Some(Error::Internal(fault)) => {
                tracing::error!(request_id = %self.request_id, %fault, "a request failed")
            }
            Some(Error::Unavailable { reason, .. }) => {
                tracing::error!(request_id = %self.request_id, reason, "a request was refused")
            }
            _ => {}
        }
    }

    /// What a failed reply says.
    fn body(&self, failure: &actix_web::Error) -> String {
        respond::body(failure, &self.request_id)
    }

    /// Adds what every reply carries, and the body of a failed one.
    fn finish(&self, response: HttpResponse, body: Option<String>) -> HttpResponse {
        let mut response = match body {
            Some(body) => {
                let mut response = response.set_body(BoxBody::new(body));
                response
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            None => response,
        };
        secure(response.headers_mut(), self.https);
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        response
    }

    fn elapsed_ms(&self) -> f64 {
        (self.started.elapsed().as_secs_f64() * 1e5).round() / 1e2
    }
}

/// The id that a trusted proxy gave, so that its log and ours agree; else one of our own.
fn request_id(request: &ServiceRequest, context: &Context) -> String {
    let trusted = request.peer_addr().is_some_and(|peer| {
        context
            .settings
            .server
            .trusted_proxies
            .iter()
            .any(|network| network.contains(&peer.ip().to_canonical()))
    });
    let given = request
        .headers()
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let is_plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match given.filter(|_| trusted).filter(is_plain) {
        Some(id) => id.to_owned(),
        None => {
            let mut bytes = [0; 16];
            // An id need not be secret: without randomness the request goes on under the number zero.
            let _ = fill_random(&mut bytes);
            format!("{:032x}", u128::from_be_bytes(bytes))
        }
    }
}

/// Catches a panic in what it wraps: the connection goes on, and the caller gets a 500 like any other.
pub struct CatchPanic<S> {
    service: S,
}

impl<S, B> Service<ServiceRequest> for CatchPanic<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    S::Future: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = actix_web::Error;
    type Future = LocalFuture<Result<Self::Response, Self::Error>>;

    fn poll_ready(&self, task: &mut TaskContext<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(task)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let reply = AssertUnwindSafe(self.service.call(request)).catch_unwind();
        Box::pin(async move {
            reply
                .await
                .unwrap_or_else(|_| Err(Error::internal("a handler panicked").into()))
        })
    }
}
