//! The one list of what dies when the credentials of an account change.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{SessionId, UserId};
use crate::store::{Transaction, api_keys, known_devices, refresh_tokens, sessions, users};

/// Which sessions outlive a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepSessions {
    /// None of them.
    None,
    /// The one that asked for the change.
    Only(SessionId),
    /// Every one: the password is the same.
    All,
}

/// What dies when a password or an address changes, or an account is shut, in the same transaction. Gives how many
/// sessions ended.
///
/// - the sessions, but for the survivors;
/// - that the password was given lately (`sudo`), on a session that survives alone: it was another password;
/// - the refresh tokens of a session that survives alone: a thief may have one, and go on with it unseen;
/// - every outstanding link, whatever it is for, by the counter that stands in each;
/// - a pending change of address, which a thief may have asked for;
/// - what is known of devices, where no session survives: one of them may be a thief's;
/// - the API keys, where no session survives: a thief may have made one to stay.
///
/// Refresh tokens and access tokens end with their sessions, however those end. Access tokens of a session that survives
/// run out.
pub fn credentials_changed(
    tx: &Transaction<'_>,
    user_id: UserId,
    keep: KeepSessions,
    now: Timestamp,
) -> Result<usize> {
    users::invalidate_links(tx, user_id)?;
    match keep {
        KeepSessions::None => {
            known_devices::delete_all_for_user(tx, user_id)?;
            api_keys::revoke_all_for_user(tx, user_id, now)?;
            sessions::delete_all_for_user(tx, user_id)
        }
        KeepSessions::Only(kept) => {
            sessions::set_sudo(tx, kept, None)?;
            refresh_tokens::delete_for_session(tx, kept)?;
            sessions::delete_all_but(tx, user_id, kept)
        }
        KeepSessions::All => Ok(0),
    }
}
