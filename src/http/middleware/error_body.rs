//! Gives every failed response the one JSON error body, with the request's id: errors of handlers, of extractors and of
//! actix itself, such as a path without a route.

use actix_web::HttpResponse;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::middleware::Next;

use super::outcome::Outcome;
use super::request_id;
use crate::http::respond;

pub(super) async fn write(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Outcome<BoxBody> {
    let request_id = request_id::of(request.request());
    match next.call(request).await {
        Ok(reply) => {
            let (request, response) = reply.map_into_boxed_body().into_parts();
            let body = response
                .error()
                .map(|failure| respond::body(failure, &request_id));
            let response = match body {
                Some(body) => with_body(response, body),
                None => response,
            };
            Ok(actix_web::dev::ServiceResponse::new(request, response))
        }
        // The response that actix makes of it does not hold the error any more: its body is rendered here.
        Err(mut failure) => {
            let body = respond::body(&failure, &request_id);
            failure.add_response_mapper(move |response| with_body(response, body.clone()));
            Err(failure)
        }
    }
}

fn with_body(response: HttpResponse, body: String) -> HttpResponse {
    let mut response = response.set_body(BoxBody::new(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
