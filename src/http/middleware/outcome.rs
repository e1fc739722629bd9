//! Changes a response, whether the service returned it or an error, which actix turns into a response later.

use actix_web::dev::{ResponseHead, ServiceResponse};
use actix_web::{Error, HttpResponse};

/// What a service returns.
pub(super) type Outcome<B> = Result<ServiceResponse<B>, Error>;

/// Changes the head of the response.
pub(super) fn map_head<B>(
    outcome: Outcome<B>,
    change: impl Fn(&mut ResponseHead) + 'static,
) -> Outcome<B> {
    match outcome {
        Ok(mut reply) => {
            change(reply.response_mut().head_mut());
            Ok(reply)
        }
        Err(mut failure) => {
            failure.add_response_mapper(move |mut response: HttpResponse| {
                change(response.head_mut());
                response
            });
            Err(failure)
        }
    }
}
