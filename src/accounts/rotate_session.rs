//! A new token for a session, after the old one may have been copied.
//!
//! # Threats
//! - two valid tokens: the new one replaces the old one in its row, and of concurrent rotations one wins
//! - a copy of the old token that was exchanged for refresh tokens: they are revoked; access tokens expire by themselves
//! - a session that never ends: it expires when it would have

use crate::domain::error::{Error, Result};
use crate::domain::{SessionId, TokenDigest};
use crate::store::{Transaction, refresh_tokens, sessions};

/// Replaces the token `old` of a session by `new`, and revokes its refresh tokens.
///
/// # Errors
/// [`Error::TokenInvalid`] when `old` is no longer its token.
pub fn rotate_session(
    tx: &Transaction<'_>,
    session: SessionId,
    old: &TokenDigest,
    new: &TokenDigest,
) -> Result<()> {
    if !sessions::rotate(tx, session, old, new)? {
        return Err(Error::TokenInvalid);
    }
    refresh_tokens::delete_for_session(tx, session).map(drop)
}
