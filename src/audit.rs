//! Security events, each a line of its own under the target `cloakroom::security`. They name users and sessions
//! by id and clients by address, and hold no token, password, email address or name of a key.

use crate::domain::model::{ApiKeyId, SessionId, UserId};
use crate::http::{ClientInfo, CredentialKind};

const TARGET: &str = "cloakroom::security";

macro_rules! event {
    ($level:ident, $client:expr, $event:literal $(, $field:ident = $value:expr)*) => {
        tracing::$level!(
            target: TARGET, event = $event, $($field = $value,)* client = %$client.ip, request_id = %$client.request_id
        )
    };
}

/// Somebody signed up, and was signed in unless their address has to be confirmed first.
pub fn signed_up(client: &ClientInfo, user: UserId, session: Option<SessionId>) {
    event!(
        info,
        client,
        "signed_up",
        user = user.0,
        session = session.map(|session| session.0)
    );
}

/// Somebody signed in. `evicted` counts the least recently used sessions that ended to make room; `replaced` says that
/// the session of the cookie that came along ended.
pub fn signed_in(
    client: &ClientInfo,
    user: UserId,
    session: SessionId,
    evicted: usize,
    replaced: bool,
    new_device: bool,
) {
    event!(
        info,
        client,
        "signed_in",
        user = user.0,
        session = session.0,
        sessions_evicted = evicted,
        session_replaced = replaced,
        new_device = new_device
    );
}

/// Somebody failed to; the user is known when the address is.
pub fn sign_in_failed(client: &ClientInfo, user: Option<UserId>) {
    event!(
        warn,
        client,
        "sign_in_failed",
        user = user.map(|user| user.0)
    );
}

/// Somebody gave the right password for an address that they have to confirm first.
pub fn sign_in_unconfirmed(client: &ClientInfo, user: UserId) {
    event!(info, client, "sign_in_unconfirmed", user = user.0);
}

/// A limit was reached.
pub fn throttled(client: &ClientInfo, what: &str) {
    event!(warn, client, "throttled", limit = what);
}

/// Somebody signed out.
pub fn session_ended(client: &ClientInfo, user: UserId, session: SessionId) {
    event!(
        info,
        client,
        "session_ended",
        user = user.0,
        session = session.0
    );
}

/// Somebody ended several of their sessions at once; `sessions_ended` counts them.
pub fn sessions_ended(client: &ClientInfo, user: UserId, sessions_ended: usize) {
    event!(
        info,
        client,
        "sessions_ended",
        user = user.0,
        sessions_ended = sessions_ended
    );
}

/// A session got a new token, and the old one is void.
pub fn session_rotated(client: &ClientInfo, user: UserId, session: SessionId) {
    event!(
        info,
        client,
        "session_rotated",
        user = user.0,
        session = session.0
    );
}

/// Somebody gave their password again, which counts for a while on this session.
pub fn sudo_given(client: &ClientInfo, user: UserId, session: SessionId) {
    event!(
        info,
        client,
        "sudo_given",
        user = user.0,
        session = session.0
    );
}

/// The password given again was wrong: a thief of the session may be guessing.
pub fn challenge_failed(client: &ClientInfo, user: UserId, session: SessionId) {
    event!(
        warn,
        client,
        "challenge_failed",
        user = user.0,
        session = session.0
    );
}

/// Somebody chose a new password; `sessions_ended` counts the other sessions that ended with the old one.
pub fn password_changed(client: &ClientInfo, user: UserId, sessions_ended: usize) {
    event!(
        info,
        client,
        "password_changed",
        user = user.0,
        sessions_ended = sessions_ended
    );
}

/// Somebody asked for another address, or withdrew that.
pub fn address_change_asked(client: &ClientInfo, user: UserId) {
    event!(info, client, "address_change_asked", user = user.0);
}

/// The address asked for was confirmed and took the old one's place.
pub fn address_changed(client: &ClientInfo, user: UserId) {
    event!(info, client, "address_changed", user = user.0);
}

/// Somebody proved that their address is theirs.
pub fn address_confirmed(client: &ClientInfo, user: UserId) {
    event!(info, client, "address_confirmed", user = user.0);
}

/// A confirmation mail was asked for. Whether the address is known is for the mail worker to find out.
pub fn confirmation_asked(client: &ClientInfo) {
    event!(info, client, "confirmation_asked");
}

/// A confirmation link that is forged, used or expired was presented.
pub fn confirmation_refused(client: &ClientInfo) {
    event!(warn, client, "confirmation_refused");
}

/// The limit on failed sign-ins to a user's address was lifted by link.
pub fn unlocked(client: &ClientInfo, user: UserId) {
    event!(info, client, "unlocked", user = user.0);
}

/// An unlock link that is forged, used or expired was presented.
pub fn unlock_refused(client: &ClientInfo) {
    event!(warn, client, "unlock_refused");
}

/// Somebody deleted their account and all that was theirs.
pub fn account_deleted(client: &ClientInfo, user: UserId) {
    event!(info, client, "account_deleted", user = user.0);
}

/// A request carried the session's cookie, and nothing showed that the application itself had sent it.
pub fn cross_origin_refused(client: &ClientInfo) {
    event!(warn, client, "cross_origin_refused");
}

/// A reset mail was asked for. Whether the address is known is for the mail worker to find out.
pub fn reset_asked(client: &ClientInfo) {
    event!(info, client, "reset_asked");
}

/// A password was reset by link, which ended the user's sessions.
pub fn reset_done(client: &ClientInfo, user: UserId, sessions_ended: usize) {
    event!(
        info,
        client,
        "reset_done",
        user = user.0,
        sessions_ended = sessions_ended
    );
}

/// A reset link that is forged, used or expired was presented.
pub fn reset_refused(client: &ClientInfo) {
    event!(warn, client, "reset_refused");
}

/// A session got an access token, and a refresh token unless it was asked for by cookie.
pub fn tokens_issued(client: &ClientInfo, user: UserId, session: SessionId) {
    event!(
        info,
        client,
        "tokens_issued",
        user = user.0,
        session = session.0
    );
}

/// A refresh token was spent for its successor.
pub fn tokens_refreshed(client: &ClientInfo, user: UserId, session: SessionId) {
    event!(
        info,
        client,
        "tokens_refreshed",
        user = user.0,
        session = session.0
    );
}

/// A refresh token was presented again within the seconds in which that gives the same pair: its reply was lost, two
/// windows came at once, or somebody copied it.
pub fn refresh_repeated(client: &ClientInfo, user: UserId, session: SessionId) {
    event!(
        info,
        client,
        "refresh_repeated",
        user = user.0,
        session = session.0
    );
}

/// A refresh token was presented a second time, which ended the session: one of the two may have been a thief.
pub fn refresh_reused(client: &ClientInfo, user: UserId, session: SessionId) {
    event!(
        warn,
        client,
        "refresh_reused",
        user = user.0,
        session = session.0
    );
}

/// A refresh token that is malformed, unknown or expired was presented.
pub fn refresh_refused(client: &ClientInfo) {
    event!(warn, client, "refresh_refused");
}

/// An API key, an access token or a session's token was presented that is unknown, forged or ended; whoever shows one
/// whose time is over is nobody to look at.
pub fn credential_refused(client: &ClientInfo, credential: CredentialKind) {
    event!(
        info,
        client,
        "credential_refused",
        credential = credential.as_str()
    );
}

/// A token was handed in to be revoked, and was good until then; `credential` says of which kind.
pub fn token_revoked(
    client: &ClientInfo,
    credential: &str,
    user: Option<UserId>,
    session: Option<SessionId>,
    key: Option<ApiKeyId>,
) {
    event!(
        info,
        client,
        "token_revoked",
        credential = credential,
        user = user.map(|user| user.0),
        session = session.map(|session| session.0),
        key = key.map(|key| key.0)
    );
}

/// Somebody made an API key.
pub fn api_key_created(client: &ClientInfo, user: UserId, key: ApiKeyId) {
    event!(info, client, "api_key_created", user = user.0, key = key.0);
}

/// Somebody gave an API key another name.
pub fn api_key_renamed(client: &ClientInfo, user: UserId, key: ApiKeyId) {
    event!(info, client, "api_key_renamed", user = user.0, key = key.0);
}

/// Somebody revoked an API key.
pub fn api_key_revoked(client: &ClientInfo, user: UserId, key: ApiKeyId) {
    event!(info, client, "api_key_revoked", user = user.0, key = key.0);
}
