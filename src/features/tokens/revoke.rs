//! Revoking a token by presenting it (RFC 7009): possession is enough, without another credential.
//!
//! A refresh token, current or recently spent, ends its session and with it all its access tokens; so does a session's own
//! token. An access token is revoked alone: the holder of a narrow one must not sign its user out. With the 17th of one
//! session, all its access tokens are revoked that were issued until the oldest of them; the session goes on.
//!
//! # Threats
//! - a reply that reveals whether a token was valid: all get the same
//! - floods of invalid tokens: each costs a look-up and no write
//! - a false success: the reply follows the commit; without a writable database it is 503, and the token stays valid

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use super::presented_token::{PresentedToken, TokenInput};
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::access_token::VerifiedAccessToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{ClientInfo, CredentialKind, Session, TokenDigest};
use crate::http::{Body, Message};
use crate::store::{Reader, api_keys, refresh_tokens, revocations, sessions};

pub(super) async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    Body(input): Body<TokenInput>,
) -> Result<HttpResponse> {
    let now = context.clock.now();
    if let Some(target) = RevocationTarget::on(&context, PresentedToken::read(&input)?, now) {
        let asked = target.clone();
        if context
            .database
            .read(move |reader| asked.holds(reader))
            .await?
        {
            context
                .commit(&client, move |change| target.revoke(change, now))
                .await?;
        }
    }
    Ok(HttpResponse::Ok().json(Message::new("Token revoked")))
}

/// What a token revokes.
#[derive(Clone)]
enum RevocationTarget {
    /// Its session.
    Session(TokenDigest),
    /// Its session.
    Refresh(TokenDigest),
    ApiKey(TokenDigest),
    /// Only the access token.
    Access(Arc<VerifiedAccessToken>),
}

impl RevocationTarget {
    fn on(
        context: &Context,
        presented: Option<PresentedToken<'_>>,
        now: Timestamp,
    ) -> Option<Self> {
        match presented {
            None => None,
            Some(PresentedToken::Session(digest)) => Some(Self::Session(digest)),
            Some(PresentedToken::Refresh(digest)) => Some(Self::Refresh(digest)),
            Some(PresentedToken::ApiKey(digest)) => Some(Self::ApiKey(digest)),
            // Also one that is not valid yet: the clock may have been set back a little.
            Some(PresentedToken::Access(text)) => {
                let claims = context.access_tokens.read(text);
                claims
                    .filter(|claims| now < claims.valid_until())
                    .map(Self::Access)
            }
        }
    }

    fn credential(&self) -> &'static str {
        match self {
            Self::Session(_) => CredentialKind::Session.as_str(),
            Self::Refresh(_) => "refresh_token",
            Self::ApiKey(_) => CredentialKind::ApiKey.as_str(),
            Self::Access(_) => CredentialKind::AccessToken.as_str(),
        }
    }

    /// Whether there is something to revoke, so that an invalid token causes no write.
    fn holds(&self, reader: &Reader<'_>) -> Result<bool> {
        match self {
            Self::Session(_) | Self::Refresh(_) => Ok(self.session(reader)?.is_some()),
            Self::ApiKey(digest) => {
                let found = reader.look_up(&api_keys::by_digest(*digest))?;
                Ok(found.is_some_and(|(key, _)| key.revoked_at.is_none()))
            }
            Self::Access(claims) => {
                let (session, nonce) = (claims.session_id, &claims.session_nonce);
                Ok(
                    sessions::belongs_to(reader, session, nonce, claims.user_id)?
                        && !revocations::has_token(
                            reader,
                            session,
                            &claims.jti,
                            claims.issued_at(),
                        )?,
                )
            }
        }
    }

    /// Does nothing if it was revoked meanwhile: of many at once, one revokes it.
    fn revoke(&self, change: &Change<'_>, now: Timestamp) -> Result<()> {
        let (user, session, key) = match self {
            Self::Session(_) | Self::Refresh(_) => {
                let Some(session) = self.session(change)? else {
                    return Ok(());
                };
                sessions::delete(change, session.id)?;
                (Some(session.user_id), Some(session.id), None)
            }
            Self::ApiKey(digest) => {
                let Some(key) = api_keys::revoke_by_digest(change, digest, now)? else {
                    return Ok(());
                };
                (key.user_id, None, Some(key.id))
            }
            Self::Access(claims) => {
                if !self.holds(change)? {
                    return Ok(());
                }
                let (user, session) = (claims.user_id, claims.session_id);
                let (issued_at, until) = (claims.issued_at(), claims.valid_until());
                revocations::insert_token(change, session, &claims.jti, issued_at, until)?;
                (Some(user), Some(session), None)
            }
        };
        change.record(Event::TokenRevoked {
            credential: self.credential(),
            user,
            session,
            key,
        });
        Ok(())
    }

    fn session(&self, reader: &Reader<'_>) -> Result<Option<Session>> {
        let found = match self {
            Self::Session(digest) => reader.look_up(&sessions::by_digest(*digest))?,
            // A recently spent one is still there: its successor is valid.
            Self::Refresh(digest) => match refresh_tokens::find(reader, digest)? {
                Some(token) => reader.look_up(&sessions::by_id(token.session_id))?,
                None => None,
            },
            Self::ApiKey(_) | Self::Access(_) => None,
        };
        Ok(found.map(|(session, _)| session))
    }
}
