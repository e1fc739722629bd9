//! The one list of what ends when the credentials of an account change.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{SessionId, UserId};
use crate::store::{
    Transaction, api_keys, identity_link_requests, known_devices, mail_codes, pending_sign_ins,
    provider_sign_ins, refresh_tokens, sessions, users,
};

/// Which sessions a change keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepSessions {
    /// No session.
    None,
    /// The session that made the change, and with it the API keys if the user wants them kept.
    Only {
        /// The session.
        kept: SessionId,
        /// Whether the API keys stay valid.
        keep_api_keys: bool,
    },
    /// Every session: the password is the same.
    All,
}

/// Ends what a change of password or address, or a disabled account, must end, in the same transaction. Returns how many
/// sessions ended:
///
/// - the sessions that the change does not keep;
/// - the refresh tokens of the kept session: a thief may hold one and go on unseen;
/// - every outstanding link of any purpose, by the counter in each;
/// - sign-ins that wait for a second factor: their first one may have been the old password;
/// - requests for a mailed code, and for a link to an identity: a thief may have asked;
/// - a pending change of address: a thief may have requested it;
/// - the known devices, where no session is kept: one may be a thief's;
/// - the API keys, unless the user keeps them with the session: a thief may have created one to stay.
///
/// Refresh tokens and access tokens end with their session. Access tokens of a kept session expire by themselves.
pub fn credentials_changed(
    tx: &Transaction<'_>,
    user_id: UserId,
    keep: KeepSessions,
    now: Timestamp,
) -> Result<usize> {
    users::invalidate_links(tx, user_id)?;
    end_open_sign_ins(tx, user_id)?;
    match keep {
        KeepSessions::None => {
            known_devices::delete_all_for_user(tx, user_id)?;
            api_keys::revoke_all_for_user(tx, user_id, now)?;
            sessions::delete_all_for_user(tx, user_id)
        }
        KeepSessions::Only {
            kept,
            keep_api_keys,
        } => {
            if !keep_api_keys {
                api_keys::revoke_all_for_user(tx, user_id, now)?;
            }
            refresh_tokens::delete_for_session(tx, kept)?;
            sessions::delete_all_but(tx, user_id, kept)
        }
        KeepSessions::All => Ok(0),
    }
}

/// Ends the sign-ins of a user that are under way, each of which would start a session after all sessions were ended:
/// those that wait for a second factor, requests for a mailed code, and those for a link that links an identity.
pub fn end_open_sign_ins(tx: &Transaction<'_>, user_id: UserId) -> Result<()> {
    pending_sign_ins::delete_all_for_user(tx, user_id)?;
    mail_codes::delete_all_for_user(tx, user_id)?;
    identity_link_requests::delete_all_for_user(tx, user_id).map(drop)
}

/// Ends up to `limit` sign-ins of each kind that are under way, of all users; returns how many.
pub fn end_some_open_sign_ins(tx: &Transaction<'_>, limit: u32) -> Result<usize> {
    Ok(pending_sign_ins::delete_some(tx, limit)?
        + mail_codes::delete_some(tx, limit)?
        + identity_link_requests::delete_some(tx, limit)?
        + provider_sign_ins::void_some(tx, limit)?)
}
