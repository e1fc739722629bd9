//! Gives each request an id, in the log and in `X-Request-Id`: that of a trusted proxy, so that both logs agree, or one of
//! its own.
//!
//! # Threats
//! - log forging: an id of a proxy is accepted only if it consists of letters, digits and `-_.`

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};

use super::outcome::{Outcome, map_head};
use crate::context::Context;
use crate::http::extract::client_info::{self, RequestId};

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_LENGTH: usize = 64;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

pub(super) async fn assign<B>(
    context: web::Data<Context>,
    request: ServiceRequest,
    next: Next<B>,
) -> Outcome<B> {
    client_info::warn_of_unknown_proxy(&request, &context);
    let id: Rc<str> = given(&request, &context).map_or_else(new, Into::into);
    request.extensions_mut().insert(RequestId(Rc::clone(&id)));
    map_head(next.call(request).await, move |head| {
        if let Ok(id) = HeaderValue::from_str(&id) {
            head.headers_mut().insert(X_REQUEST_ID, id);
        }
    })
}

/// The id of this request.
pub(super) fn of(request: &HttpRequest) -> Rc<str> {
    let extensions = request.extensions();
    let id = extensions.get::<RequestId>();
    id.map_or_else(|| "".into(), |id| Rc::clone(&id.0))
}

fn given<'r>(request: &'r ServiceRequest, context: &Context) -> Option<&'r str> {
    let peer = request.peer_addr()?;
    if !client_info::is_trusted(peer.ip(), &context.settings.server.trusted_proxies) {
        return None;
    }
    let id = request.headers().get(X_REQUEST_ID)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_usable = (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(is_plain);
    is_usable.then_some(id)
}

thread_local! {
    /// The key of this thread's ids, from the operating system, and how many there were.
    static IDS: (RandomState, Cell<u64>) = (RandomState::new(), Cell::new(0));
}

/// A new id. It need only be unique: nothing is granted for one. It is a keyed hash of a counter, since a counter alone
/// would show clients how many requests others send.
fn new() -> Rc<str> {
    let halves = IDS.with(|(key, count)| {
        let number = count.replace(count.get() + 1);
        [key.hash_one((0_u8, number)), key.hash_one((1_u8, number))]
    });
    let mut text = [0; 32];
    let bytes = halves.into_iter().flat_map(u64::to_be_bytes);
    for (digits, byte) in text.chunks_exact_mut(2).zip(bytes) {
        digits[0] = DIGITS[usize::from(byte >> 4)];
        digits[1] = DIGITS[usize::from(byte & 15)];
    }
    str::from_utf8(&text).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn new_ids_are_32_hex_digits_and_unique_on_all_threads() {
        let on_each_thread = || (0..1000).map(|_| new().to_string()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(on_each_thread)).collect();
        let ids: HashSet<String> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(ids.len(), 4000);
        let is_hex = |id: &String| id.len() == 32 && id.bytes().all(|byte| DIGITS.contains(&byte));
        assert!(ids.iter().all(is_hex));
    }
}
