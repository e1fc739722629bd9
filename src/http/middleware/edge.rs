//! The outermost middleware, around all routes and 404s. From the outside in: request id, log line and reply headers;
//! CORS, which answers preflights before authentication; and a catch for panics.

#![expect(
    clippy::disallowed_methods,
    reason = "measures requests for the access log"
)]

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Instant;

use actix_cors::Cors;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpResponse, web};

use super::catch_panic::CatchPanic;
use super::cors;
use super::headers::{X_REQUEST_ID, secure};
use super::idle_connection::Connection;
use crate::context::Context;
use crate::crypto::token::fill_random;
use crate::domain::error::Error;
use crate::http::auth::caller::{self, Caller};
use crate::http::extract::client_info::{self, RequestId};
use crate::http::respond;

/// What nginx logs for it; no client ever sees it.
const CLIENT_CLOSED_REQUEST: u16 = 499;

type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// The layer, for [`actix_web::App::wrap`].
#[derive(Clone)]
pub struct Middleware {
    context: web::Data<Context>,
    cors: Rc<Cors>,
}

impl Middleware {
    /// From the context's settings.
    pub fn new(context: web::Data<Context>) -> Self {
        let cors = Rc::new(cors::cors(&context.settings.cors));
        Self { context, cors }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Middleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = actix_web::Error;
    type Transform =
        MiddlewareService<<Cors as Transform<CatchPanic<S>, ServiceRequest>>::Transform>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let context = self.context.clone();
        let cors = self.cors.new_transform(CatchPanic { service }).into_inner();
        ready(cors.map(|service| MiddlewareService { service, context }))
    }
}

/// The layer at work, around CORS.
pub struct MiddlewareService<S> {
    service: S,
    context: web::Data<Context>,
}

impl<S, B> Service<ServiceRequest> for MiddlewareService<S>
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
        let passage = RequestLog::begin(&self.context, &request);
        request
            .extensions_mut()
            .insert(RequestId(passage.request_id.clone()));
        let answering = request
            .request()
            .conn_data::<Connection>()
            .map(Connection::answering);
        let reply = self.service.call(request);
        let mut unanswered = AbortLog(Some(passage.clone()));
        Box::pin(async move {
            let _answering = answering;
            let reply = reply.await;
            unanswered.disarm();
            match reply {
                Ok(reply) => {
                    let mut reply = reply.map_into_boxed_body();
                    passage.log(&reply);
                    let response =
                        std::mem::replace(reply.response_mut(), HttpResponse::new(StatusCode::OK));
                    let body = response.error().map(|failure| passage.body(failure));
                    *reply.response_mut() = passage.finish(response, body);
                    Ok(reply)
                }
                // Without its request there is no reply to hold it yet: actix makes one from the failure.
                Err(mut failure) => {
                    passage.log_failure(&failure);
                    // And that one does not remember what it was made from, so its body is written here.
                    let body = passage.body(&failure);
                    failure.add_response_mapper(move |response| {
                        passage.finish(response, Some(body.clone()))
                    });
                    Err(failure)
                }
            }
        })
    }
}

/// What one request's log line and reply need, taken before the request moves on.
#[derive(Clone)]
struct RequestLog {
    started: Instant,
    method: Method,
    request_id: String,
    client: std::net::IpAddr,
    https: bool,
}

/// Logs a request whose client went away before its reply: what it did stands all the same.
struct AbortLog(Option<RequestLog>);

impl AbortLog {
    fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for AbortLog {
    fn drop(&mut self) {
        if let Some(passage) = self.0.take() {
            passage.log_line(None, CLIENT_CLOSED_REQUEST, None);
        }
    }
}

impl RequestLog {
    fn begin(context: &Context, request: &ServiceRequest) -> Self {
        let server = &context.settings.server;
        Self {
            started: Instant::now(),
            method: request.method().clone(),
            request_id: request_id(request, context),
            client: client_info::address(request.request(), &server.trusted_proxies),
            https: server.public_url.scheme() == "https",
        }
    }

    fn log(&self, reply: &ServiceResponse) {
        let route = reply.request().match_pattern();
        let caller = caller::known(reply.request());
        self.log_line(route.as_deref(), reply.status().as_u16(), caller.as_ref());
        if let Some(failure) = reply.response().error() {
            self.log_fault(failure);
        }
    }

    fn log_failure(&self, failure: &actix_web::Error) {
        self.log_line(
            None,
            failure.as_response_error().status_code().as_u16(),
            None,
        );
        self.log_fault(failure);
    }

    /// One line a request. The route's pattern, never the path: the tokens of mailed links stand in that.
    fn log_line(&self, route: Option<&str>, status: u16, caller: Option<&Caller>) {
        tracing::info!(
            target: "cloakroom::request",
            method = %self.method,
            route = route.unwrap_or("-"),
            status,
            ms = self.elapsed_ms(),
            request_id = %self.request_id,
            user = caller.and_then(Caller::user_id).map(|user| user.0),
            credential = caller.map(|caller| caller.kind().as_str()),
            session = caller.and_then(Caller::session_id).map(|session| session.0),
            key = caller.and_then(Caller::api_key).map(|key| key.id.0),
            client = %self.client,
        );
    }

    /// Why we could not do it. What the caller did wrong is in the status already.
    fn log_fault(&self, failure: &actix_web::Error) {
        match failure.as_error::<Error>() {
            Some(Error::Internal(fault)) => {
                tracing::error!(request_id = %self.request_id, %fault, "a request failed");
            }
            Some(Error::Unavailable { reason, .. } | Error::NotReady { reason, .. }) => {
                tracing::error!(request_id = %self.request_id, reason = reason.code(), "a request was refused");
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
    let proxies = &context.settings.server.trusted_proxies;
    let trusted = request
        .peer_addr()
        .is_some_and(|peer| client_info::is_trusted(peer.ip(), proxies));
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
