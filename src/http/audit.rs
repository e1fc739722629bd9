//! Security events, each a line of its own under the target `cloakroom::security`. They name users and sessions
//! by id and clients by address, and hold no token, password or email address.

use std::future::Future;

use super::Visit;
use crate::error::{Error, Result};
use crate::model::{SessionId, UserId};

/// Runs a change and the logging of it to their end, even when the client goes away in between.
pub async fn see_through<T: 'static>(change: impl Future<Output = Result<T>> + 'static) -> Result<T> {
    actix_web::rt::spawn(change).await.map_err(Error::internal)?
}

const TARGET: &str = "cloakroom::security";

macro_rules! event {
    ($level:ident, $visit:expr, $event:literal $(, $field:ident = $value:expr)*) => {
        tracing::$level!(
            target: TARGET, event = $event, $($field = $value,)* client = %$visit.ip, request_id = %$visit.request_id
        )
    };
}

/// Somebody signed up.
pub fn signed_up(visit: &Visit, user: UserId, session: SessionId) {
    event!(info, visit, "signed_up", user = user.0, session = session.0);
}

/// Somebody signed in, for which so many of their least recently used sessions ended.
pub fn signed_in(visit: &Visit, user: UserId, session: SessionId, evicted: usize) {
    event!(info, visit, "signed_in", user = user.0, session = session.0, sessions_evicted = evicted);
}

/// Somebody failed to; the user is known when the address is.
pub fn sign_in_failed(visit: &Visit, user: Option<UserId>) {
    event!(warn, visit, "sign_in_failed", user = user.map(|user| user.0));
}

/// A limit was reached.
pub fn throttled(visit: &Visit, what: &str) {
    event!(warn, visit, "throttled", limit = what);
}

/// Somebody signed out.
pub fn session_ended(visit: &Visit, user: UserId, session: SessionId) {
    event!(info, visit, "session_ended", user = user.0, session = session.0);
}

/// A reset mail was asked for. Whether the address is known is for the mail worker to find out.
pub fn reset_asked(visit: &Visit) {
    event!(info, visit, "reset_asked");
}

/// A password was reset by link, which ended the user's sessions.
pub fn reset_done(visit: &Visit, user: UserId, sessions_ended: usize) {
    event!(info, visit, "reset_done", user = user.0, sessions_ended = sessions_ended);
}

/// A reset link that is forged, used or expired was presented.
pub fn reset_refused(visit: &Visit) {
    event!(warn, visit, "reset_refused");
}
