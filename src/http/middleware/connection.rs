//! Reports requests to their [`connection`](crate::http::connection), and closes it where its next bytes may be no request:
//!
//! - the body was not read to its end, because the request was refused or its route takes none
//! - the body came in chunks, after which line ends are not checked
//! - the client asked to switch protocols and the route did not: `Upgrade` is ignored (RFC 9110, 7.8), but actix-http takes
//!   what follows for the other protocol
//!
//! The last two hold for connections of this server. On one of an embedder's server, line ends are not checked at all.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::{TRANSFER_ENCODING, UPGRADE};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt};

use super::outcome::{Outcome, map_head};
use crate::domain::error::Error;
use crate::http::connection::{Activity, Answering};

pub(super) async fn report<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Outcome<BoxBody> {
    let mut answering = match request.request().conn_data::<Activity>() {
        // Sent before the client read that the connection is closed.
        Some(activity) => match activity.answer() {
            None => return Err(Error::Malformed("The connection is closing").into()),
            answering => answering,
        },
        // A connection of an embedder's server.
        None => None,
    };
    let headers = request.headers();
    let switches = request.head().upgrade() || headers.contains_key(UPGRADE);
    let is_chunked = headers.contains_key(TRANSFER_ENCODING);
    let is_followed = answering.is_some() && (switches || is_chunked);
    let body = watch_body(&mut request);
    let outcome = next.call(request).await;
    let is_switched =
        matches!(&outcome, Ok(reply) if reply.status() == StatusCode::SWITCHING_PROTOCOLS);
    let stays = is_switched || (!is_followed && body.is_none_or_read().await);
    if let Some(answering) = answering.as_mut().filter(|_| !stays) {
        answering.close();
    }
    let outcome = outcome.map(|reply| reply.map_body(|_, body| until_sent(body, answering)));
    if stays {
        return outcome;
    }
    map_head(outcome, |head| {
        head.set_connection_type(ConnectionType::Close);
    })
}

/// The response is due until its body is handed over, which takes a while if that is not in memory.
fn until_sent(body: impl MessageBody + 'static, answering: Option<Answering>) -> BoxBody {
    let body = body.boxed();
    if answering.is_none() || matches!(body.size(), BodySize::None | BodySize::Sized(0)) {
        return body;
    }
    match body.try_into_bytes() {
        Ok(bytes) => BoxBody::new(bytes),
        Err(body) => BoxBody::new(Sending {
            body,
            _answering: answering,
        }),
    }
}

struct Sending {
    body: BoxBody,
    _answering: Option<Answering>,
}

impl MessageBody for Sending {
    type Error = actix_web::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(task).map_err(Into::into)
    }
}

/// The body of a request, if it has one, after the handler has dropped it.
struct Watched(Option<Rc<RefCell<Payload>>>);

fn watch_body(request: &mut ServiceRequest) -> Watched {
    match request.take_payload() {
        Payload::None => Watched(None),
        payload => {
            let payload = Rc::new(RefCell::new(payload));
            let body = Body(Rc::clone(&payload));
            request.set_payload(Payload::Stream {
                payload: Box::pin(body),
            });
            Watched(Some(payload))
        }
    }
}

impl Watched {
    /// Whether nothing of it is still to come. Discards what has come, unless the response is still reading it.
    async fn is_none_or_read(&self) -> bool {
        let Some(payload) = &self.0 else {
            return true;
        };
        if Rc::strong_count(payload) > 1 {
            return false;
        }
        poll_fn(|task| {
            loop {
                match payload.borrow_mut().poll_next_unpin(task) {
                    Poll::Ready(Some(Ok(_))) => {}
                    Poll::Ready(None) => return Poll::Ready(true),
                    Poll::Ready(Some(Err(_))) | Poll::Pending => return Poll::Ready(false),
                }
            }
        })
        .await
    }
}

struct Body(Rc<RefCell<Payload>>);

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.borrow_mut().poll_next_unpin(task)
    }
}
