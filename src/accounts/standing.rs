//! Whether a credential may act now: for each request, and again in each transaction.

use std::sync::Arc;
use std::time::Duration;

use crate::audit::{Actor, Source};
use crate::context::{Change, Context};
use crate::crypto::access_token::VerifiedAccessToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{ApiKeyId, ClientInfo, Session, SessionId, TokenDigest, User, UserId};
use crate::store::{Reader, api_keys, revocations, sessions};

/// A credential that was accepted when its request came.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A session by the token that it had then.
    Session {
        /// The session.
        id: SessionId,
        /// Its user.
        user: UserId,
        /// The digest of the token.
        token: TokenDigest,
    },
    /// An API key.
    ApiKey(ApiKeyId),
    /// An access token.
    AccessToken(Arc<VerifiedAccessToken>),
}

impl Credential {
    /// Who acts by it.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Session { user, .. } => Actor::User(*user),
            Self::ApiKey(key) => Actor::ApiKey(*key),
            Self::AccessToken(claims) => Actor::User(claims.user_id),
        }
    }

    /// Changes something by this credential, if it still stands: reading a body takes time, and a credential that was
    /// revoked meanwhile changes nothing any more.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] or [`Error::InvalidApiKey`] when it does not stand, and those of [`Context::commit`].
    pub async fn commit<T, F>(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
        mut work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Change<'_>) -> Result<T> + Send + 'static,
    {
        let refusal = match self {
            Self::ApiKey(_) => Error::InvalidApiKey,
            Self::Session { .. } | Self::AccessToken(_) => Error::TokenInvalid,
        };
        let (source, now) = (
            Source::caller(client, Some(self.actor())),
            context.clock.now(),
        );
        let done = context.commit(source, move |change| match self.stands(change, now)? {
            true => work(change).map(Some),
            false => Ok(None),
        });
        done.await?.ok_or(refusal)
    }

    /// A session stands while it has the token, an API key while it is neither revoked nor expired and its user is not
    /// disabled, an access token while its session is its user's and neither of the two was revoked.
    fn stands(&self, reader: &Reader<'_>, now: Timestamp) -> Result<bool> {
        match self {
            Self::Session { id, token, .. } => sessions::is_open_by(reader, *id, token),
            Self::ApiKey(id) => api_keys::is_live(reader, *id, now),
            Self::AccessToken(claims) => Ok(sessions::belongs_to(
                reader,
                claims.session_id,
                &claims.session_nonce,
                claims.user_id,
            )? && !revocations::has_token(
                reader,
                claims.session_id,
                &claims.jti,
                claims.issued_at(),
            )?),
        }
    }
}

/// Uses a session, which puts off its idle timeout.
///
/// # Errors
/// [`Error::TokenInvalid`] when its user is disabled, [`Error::TokenExpired`] when it expired or idled out.
pub fn use_session(
    context: &Context,
    session: &Session,
    user: &User,
    now: Timestamp,
) -> Result<()> {
    if user.disabled_at.is_some() {
        return Err(Error::TokenInvalid);
    }
    let idle_timeout = context.settings.session.idle_timeout;
    if now >= session.expires_at || !context.activity.note(session, idle_timeout, now) {
        return Err(Error::TokenExpired);
    }
    Ok(())
}

/// When a session ends unless it is used again after `last_use`; `None` when it has ended or its user is disabled.
pub fn session_end(
    session: &Session,
    user: &User,
    last_use: Timestamp,
    idle_timeout: Duration,
    now: Timestamp,
) -> Option<Timestamp> {
    let end = session.ends_at(last_use, idle_timeout);
    (now < end && user.disabled_at.is_none()).then_some(end)
}

/// Whether the session and the user that were found for an access token are its own and it may act: not if the session's
/// id is another's since a backup was restored, or the user is disabled.
pub fn are_of_access_token(
    (session, owner): &(Session, User),
    claims: &VerifiedAccessToken,
) -> bool {
    *session.nonce == *claims.session_nonce
        && owner.id == claims.user_id
        && owner.disabled_at.is_none()
}
