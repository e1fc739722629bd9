//! Writes one log line a request: the route's pattern, never the path, because paths of mailed links contain tokens.
//! Failures of the server get a second line with their cause. Each request is counted here as well.

#![expect(clippy::disallowed_methods, reason = "measures requests")]

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web;

use super::outcome::Outcome;
use super::{request_id, trace_context};
use crate::context::Context;
use crate::domain::error::Error;
use crate::http::auth::caller::{self, Caller};
use crate::http::extract::client_info;
use crate::http::routes::RouteNumber;
use crate::metrics::WorkerRequests;

/// Logged for a client that disconnected before the response, as nginx does. No client receives it.
const CLIENT_CLOSED_REQUEST: u16 = 499;

pub(super) async fn write<B>(
    context: web::Data<Context>,
    counts: Arc<WorkerRequests>,
    request: ServiceRequest,
    next: Next<B>,
) -> Outcome<B> {
    let mut unfinished = Unfinished(Some(Entry::new(&context, counts, &request)));
    let outcome = next.call(request).await;
    if let Some(entry) = unfinished.0.take() {
        entry.finish(&outcome);
    }
    outcome
}

/// Logs the request when it is dropped before its response: its changes stay, so it must not go unrecorded.
struct Unfinished(Option<Entry>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(entry) = self.0.take() {
            entry.write(None, CLIENT_CLOSED_REQUEST, None);
        }
    }
}

/// The facts of a request, read before it moves on.
struct Entry {
    started: Instant,
    method: Method,
    request_id: Rc<str>,
    trace_id: Option<Box<str>>,
    client: IpAddr,
    route: RouteNumber,
    counts: Arc<WorkerRequests>,
}

impl Entry {
    fn new(context: &Context, counts: Arc<WorkerRequests>, request: &ServiceRequest) -> Self {
        let proxies = &context.settings.server.trusted_proxies;
        Self {
            started: Instant::now(),
            method: request.method().clone(),
            request_id: request_id::of(request.request()),
            trace_id: trace_context::trace_id(request.headers()),
            client: client_info::address(request.request(), proxies),
            route: RouteNumber::expect(request),
            counts,
        }
    }

    fn finish<B>(&self, outcome: &Outcome<B>) {
        match outcome {
            Ok(reply) => self.response(reply),
            Err(failure) => {
                let status = failure.as_response_error().status_code();
                self.write(None, status.as_u16(), None);
                self.cause(failure);
            }
        }
    }

    fn response<B>(&self, reply: &ServiceResponse<B>) {
        let route = reply.request().match_pattern();
        let caller = caller::known(reply.request());
        self.write(route.as_deref(), reply.status().as_u16(), caller.as_ref());
        if let Some(failure) = reply.response().error() {
            self.cause(failure);
        }
    }

    fn write(&self, route: Option<&str>, status: u16, caller: Option<&Caller>) {
        let took = self.started.elapsed();
        let method = self.method.as_str();
        self.counts.count(self.route.get(), method, status, took);
        self.line(route, status, took, caller);
    }

    fn line(&self, route: Option<&str>, status: u16, took: Duration, caller: Option<&Caller>) {
        tracing::info!(
            target: "cloakroom::request",
            method = %self.method,
            route = route.unwrap_or("-"),
            status,
            ms = (took.as_secs_f64() * 1e5).round() / 1e2,
            request_id = %self.request_id,
            trace_id = self.trace_id.as_deref(),
            user = caller.and_then(Caller::user_id).map(|user| user.0),
            credential = caller.map(|caller| caller.kind().as_str()),
            session = caller.and_then(Caller::session_id).map(|session| session.0),
            key = caller.and_then(Caller::api_key).map(|key| key.id.0),
            client = %text_of(self.client),
        );
    }

    /// Why the server failed. Faults of the client show in the status.
    fn cause(&self, failure: &actix_web::Error) {
        let (request_id, trace_id) = (&self.request_id, self.trace_id.as_deref());
        match failure.as_error::<Error>() {
            Some(Error::Internal(fault)) => {
                tracing::error!(%request_id, trace_id, %fault, "a request failed");
            }
            Some(Error::Unavailable { reason, .. } | Error::NotReady { reason, .. }) => {
                tracing::error!(%request_id, trace_id, reason = reason.code(), "a request was refused");
            }
            _ => {}
        }
    }
}

/// An address as it is displayed, without the standard library's formatting, which takes ten times as long.
fn text_of(address: IpAddr) -> String {
    let IpAddr::V4(address) = address else {
        return address.to_string();
    };
    let mut text = String::with_capacity("255.255.255.255".len());
    for octet in address.octets() {
        for unit in [100, 10, 1] {
            if octet >= unit || unit == 1 {
                text.push(char::from(b'0' + octet / unit % 10));
            }
        }
        text.push('.');
    }
    text.pop();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_they_are_displayed() {
        for text in ["0.9.10.99", "100.101.110.255", "203.0.113.7", "2001:db8::7"] {
            assert_eq!(text_of(text.parse().unwrap()), text);
        }
    }
}
