//! Changes a response, whether the service returned it or an error, which actix turns into a response later.

use actix_web::dev::ServiceResponse;
use actix_web::http::header::HeaderMap;
use actix_web::{Error, HttpResponse};

/// What a service returns.
pub(super) type Outcome<B> = Result<ServiceResponse<B>, Error>;

/// Changes the headers of the response.
pub(super) fn map_headers<B>(
    outcome: Outcome<B>,
    change: impl Fn(&mut HeaderMap) + 'static,
) -> Outcome<B> {
    match outcome {
        Ok(mut reply) => {
            change(reply.headers_mut());
            Ok(reply)
        }
        Err(mut failure) => {
            failure.add_response_mapper(move |mut response: HttpResponse| {
                change(response.headers_mut());
                response
            });
            Err(failure)
        }
    }
}
