//! Security events, each a line of its own under the target `cloakroom::security`. They name users and sessions
//! by id and clients by address, and hold no token, password, email address or name of a key.

use super::{CredentialKind, Visit};
use crate::model::{ApiKeyId, SessionId, UserId};

const TARGET: &str = "cloakroom::security";

macro_rules! event {
    ($level:ident, $visit:expr, $event:literal $(, $field:ident = $value:expr)*) => {
        tracing::$level!(
            target: TARGET, event = $event, $($field = $value,)* client = %$visit.ip, request_id = %$visit.request_id
        )
    };
}

/// Somebody signed up, and was signed in unless their address has to be confirmed first.
pub fn signed_up(visit: &Visit, user: UserId, session: Option<SessionId>) {
    event!(
        info,
        visit,
        "signed_up",
        user = user.0,
        session = session.map(|session| session.0)
    );
}

/// Somebody signed in. `evicted` counts the least recently used sessions that ended to make room; `replaced` says that
/// the session of the cookie that came along ended.
pub fn signed_in(
    visit: &Visit,
    user: UserId,
    session: SessionId,
    evicted: usize,
    replaced: bool,
    new_device: bool,
) {
    event!(
        info,
        visit,
        "signed_in",
        user = user.0,
        session = session.0,
        sessions_evicted = evicted,
        session_replaced = replaced,
        new_device = new_device
    );
}

/// Somebody failed to; the user is known when the address is.
pub fn sign_in_failed(visit: &Visit, user: Option<UserId>) {
    event!(
        warn,
        visit,
        "sign_in_failed",
        user = user.map(|user| user.0)
    );
}

/// Somebody gave the right password for an address that they have to confirm first.
pub fn sign_in_unconfirmed(visit: &Visit, user: UserId) {
    event!(info, visit, "sign_in_unconfirmed", user = user.0);
}

/// A limit was reached.
pub fn throttled(visit: &Visit, what: &str) {
    event!(warn, visit, "throttled", limit = what);
}

/// Somebody signed out.
pub fn session_ended(visit: &Visit, user: UserId, session: SessionId) {
    event!(
        info,
        visit,
        "session_ended",
        user = user.0,
        session = session.0
    );
}

/// Somebody ended several of their sessions at once; `sessions_ended` counts them.
pub fn sessions_ended(visit: &Visit, user: UserId, sessions_ended: usize) {
    event!(
        info,
        visit,
        "sessions_ended",
        user = user.0,
        sessions_ended = sessions_ended
    );
}

/// A session got a new token, and the old one is void.
pub fn session_rotated(visit: &Visit, user: UserId, session: SessionId) {
    event!(
        info,
        visit,
        "session_rotated",
        user = user.0,
        session = session.0
    );
}

/// Somebody gave their password again, which counts for a while on this session.
pub fn sudo_given(visit: &Visit, user: UserId, session: SessionId) {
    event!(
        info,
        visit,
        "sudo_given",
        user = user.0,
        session = session.0
    );
}

/// The password given again was wrong: a thief of the session may be guessing.
pub fn challenge_failed(visit: &Visit, user: UserId, session: SessionId) {
    event!(
        warn,
        visit,
        "challenge_failed",
        user = user.0,
        session = session.0
    );
}

/// Somebody chose a new password; `sessions_ended` counts the other sessions that ended with the old one.
pub fn password_changed(visit: &Visit, user: UserId, sessions_ended: usize) {
    event!(
        info,
        visit,
        "password_changed",
        user = user.0,
        sessions_ended = sessions_ended
    );
}

/// Somebody asked for another address, or withdrew that.
pub fn address_change_asked(visit: &Visit, user: UserId) {
    event!(info, visit, "address_change_asked", user = user.0);
}

/// The address asked for was confirmed and took the old one's place.
pub fn address_changed(visit: &Visit, user: UserId) {
    event!(info, visit, "address_changed", user = user.0);
}

/// Somebody proved that their address is theirs.
pub fn address_confirmed(visit: &Visit, user: UserId) {
    event!(info, visit, "address_confirmed", user = user.0);
}

/// A confirmation mail was asked for. Whether the address is known is for the mail worker to find out.
pub fn confirmation_asked(visit: &Visit) {
    event!(info, visit, "confirmation_asked");
}

/// A confirmation link that is forged, used or expired was presented.
pub fn confirmation_refused(visit: &Visit) {
    event!(warn, visit, "confirmation_refused");
}

/// The limit on failed sign-ins to a user's address was lifted by link.
pub fn unlocked(visit: &Visit, user: UserId) {
    event!(info, visit, "unlocked", user = user.0);
}

/// An unlock link that is forged, used or expired was presented.
pub fn unlock_refused(visit: &Visit) {
    event!(warn, visit, "unlock_refused");
}

/// Somebody deleted their account and all that was theirs.
pub fn account_deleted(visit: &Visit, user: UserId) {
    event!(info, visit, "account_deleted", user = user.0);
}

/// A request carried the session's cookie, and nothing showed that the application itself had sent it.
pub fn cross_origin_refused(visit: &Visit) {
    event!(warn, visit, "cross_origin_refused");
}

/// A reset mail was asked for. Whether the address is known is for the mail worker to find out.
pub fn reset_asked(visit: &Visit) {
    event!(info, visit, "reset_asked");
}

/// A password was reset by link, which ended the user's sessions.
pub fn reset_done(visit: &Visit, user: UserId, sessions_ended: usize) {
    event!(
        info,
        visit,
        "reset_done",
        user = user.0,
        sessions_ended = sessions_ended
    );
}

/// A reset link that is forged, used or expired was presented.
pub fn reset_refused(visit: &Visit) {
    event!(warn, visit, "reset_refused");
}

/// A session got an access token, and a refresh token unless it was asked for by cookie.
pub fn tokens_issued(visit: &Visit, user: UserId, session: SessionId) {
    event!(
        info,
        visit,
        "tokens_issued",
        user = user.0,
        session = session.0
    );
}

/// A refresh token was spent for its successor.
pub fn tokens_refreshed(visit: &Visit, user: UserId, session: SessionId) {
    event!(
        info,
        visit,
        "tokens_refreshed",
        user = user.0,
        session = session.0
    );
}

/// A refresh token was presented again within the seconds in which that gives the same pair: its reply was lost, two
/// windows came at once, or somebody copied it.
pub fn refresh_repeated(visit: &Visit, user: UserId, session: SessionId) {
    event!(
        info,
        visit,
        "refresh_repeated",
        user = user.0,
        session = session.0
    );
}

/// A refresh token was presented a second time, which ended the session: one of the two may have been a thief.
pub fn refresh_reused(visit: &Visit, user: UserId, session: SessionId) {
    event!(
        warn,
        visit,
        "refresh_reused",
        user = user.0,
        session = session.0
    );
}

/// A refresh token that is malformed, unknown or expired was presented.
pub fn refresh_refused(visit: &Visit) {
    event!(warn, visit, "refresh_refused");
}

/// An API key, an access token or a session's token was presented that is unknown, forged or ended; whoever shows one
/// whose time is over is nobody to look at.
pub fn credential_refused(visit: &Visit, credential: CredentialKind) {
    event!(
        info,
        visit,
        "credential_refused",
        credential = credential.as_str()
    );
}

/// A token was handed in to be revoked, and was good until then; `credential` says of which kind.
pub fn token_revoked(
    visit: &Visit,
    credential: &str,
    user: Option<UserId>,
    session: Option<SessionId>,
    key: Option<ApiKeyId>,
) {
    event!(
        info,
        visit,
        "token_revoked",
        credential = credential,
        user = user.map(|user| user.0),
        session = session.map(|session| session.0),
        key = key.map(|key| key.0)
    );
}

/// Somebody made an API key.
pub fn api_key_created(visit: &Visit, user: UserId, key: ApiKeyId) {
    event!(info, visit, "api_key_created", user = user.0, key = key.0);
}

/// Somebody gave an API key another name.
pub fn api_key_renamed(visit: &Visit, user: UserId, key: ApiKeyId) {
    event!(info, visit, "api_key_renamed", user = user.0, key = key.0);
}

/// Somebody revoked an API key.
pub fn api_key_revoked(visit: &Visit, user: UserId, key: ApiKeyId) {
    event!(info, visit, "api_key_revoked", user = user.0, key = key.0);
}
