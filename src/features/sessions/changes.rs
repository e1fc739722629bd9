//! The one list of what dies when the credentials of an account change.

use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::{SessionId, UserId};
use crate::store::{Transaction, api_keys, devices, refresh_tokens, sessions, users};

/// Which sessions outlive a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survivors {
    /// None of them.
    None,
    /// The one that asked for the change.
    One(SessionId),
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
    survivors: Survivors,
    now: Timestamp,
) -> Result<usize> {
    users::void_links(tx, user_id)?;
    match survivors {
        Survivors::None => {
            devices::delete_all_for_user(tx, user_id)?;
            api_keys::revoke_all_for_user(tx, user_id, now)?;
            sessions::delete_all_for_user(tx, user_id)
        }
        Survivors::One(kept) => {
            sessions::set_sudo(tx, kept, None)?;
            refresh_tokens::delete_for_session(tx, kept)?;
            sessions::delete_all_but(tx, user_id, kept)
        }
        Survivors::All => Ok(0),
    }
}
