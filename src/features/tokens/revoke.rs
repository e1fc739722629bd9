//! Ending a token by presenting it (RFC 7009): who has it may end it, whoever they are.
//!
//! A refresh token, good or spent lately, takes its session along, and with it every access token of it; so does a
//! session's own token. An access
//! token ends alone: who was handed a narrow one must not sign its user out.
//!
//! Fears: a reply that tells whether a token was good (one for all of them); rubbish by the million (a look-up, and no
//! write); a yes that is not true (the reply leaves after the commit; a database that cannot be written is a 503, and
//! the token lives).

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::handed::Handed;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Result;
use crate::http::{CredentialKind, Input, Visit, audit, to_the_end};
use crate::model::{ApiKeyId, Session, SessionId, UserId};
use crate::store::{Reader, Transaction, api_keys, ended, refresh_tokens, sessions};
use crate::token::TokenDigest;

pub(super) async fn create(
    context: web::Data<Context>,
    visit: Visit,
    input: Input,
) -> Result<HttpResponse> {
    let now = context.clock.now();
    if let Some(grip) = Grip::on(&context, Handed::read(&input)?, now) {
        let target = grip.clone();
        if context
            .database
            .read(move |reader| target.holds(reader))
            .await?
        {
            let database = context.database.clone();
            to_the_end(async move {
                let credential = grip.credential();
                if let Some(Ended { user, session, key }) =
                    database.write(move |tx| grip.end(tx, now)).await?
                {
                    audit::token_revoked(&visit, credential, user, session, key);
                }
                Ok(())
            })
            .await?;
        }
    }
    Ok(HttpResponse::Ok().json(json!({ "message": "Token revoked" })))
}

/// What a token gives a hold of.
#[derive(Clone)]
enum Grip {
    /// The session that it opens.
    Session(TokenDigest),
    /// Its session.
    Refresh(TokenDigest),
    ApiKey(TokenDigest),
    /// That access token alone.
    Access {
        user_id: UserId,
        session_id: SessionId,
        jti: Box<str>,
        until: Timestamp,
    },
}

/// What was good until now.
struct Ended {
    user: Option<UserId>,
    session: Option<SessionId>,
    key: Option<ApiKeyId>,
}

impl Grip {
    fn on(context: &Context, handed: Option<Handed<'_>>, now: Timestamp) -> Option<Self> {
        match handed {
            None => None,
            Some(Handed::Session(digest)) => Some(Self::Session(digest)),
            Some(Handed::Refresh(digest)) => Some(Self::Refresh(digest)),
            Some(Handed::ApiKey(digest)) => Some(Self::ApiKey(digest)),
            // One whose time has not come, too: the clock was set back a little, and it will.
            Some(Handed::Access(text)) => context.access_tokens.read(text).and_then(|bearing| {
                let until = Timestamp::from_millis(0) + Duration::from_secs(bearing.expires_at);
                let (user_id, session_id) = (bearing.user_id, bearing.session_id);
                (now < until).then(|| Self::Access {
                    user_id,
                    session_id,
                    jti: bearing.jti.clone(),
                    until,
                })
            }),
        }
    }

    fn credential(&self) -> &'static str {
        match self {
            Self::Session(_) => CredentialKind::Session.as_str(),
            Self::Refresh(_) => "refresh_token",
            Self::ApiKey(_) => CredentialKind::ApiKey.as_str(),
            Self::Access { .. } => CredentialKind::AccessToken.as_str(),
        }
    }

    /// Whether there is something to end, so that nobody makes us write for nothing.
    fn holds(&self, reader: &Reader<'_>) -> Result<bool> {
        match self {
            Self::Session(_) | Self::Refresh(_) => Ok(self.session(reader)?.is_some()),
            Self::ApiKey(digest) => {
                let found = api_keys::find_by_digest(reader, digest)?;
                Ok(found.is_some_and(|(key, _)| key.revoked_at.is_none()))
            }
            Self::Access {
                user_id,
                session_id,
                jti,
                ..
            } => Ok(sessions::belongs_to(reader, *session_id, *user_id)?
                && !ended::has_token(reader, jti)?),
        }
    }

    /// `None` when it has ended meanwhile: of many at once one ends it.
    fn end(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<Option<Ended>> {
        match self {
            Self::Session(_) | Self::Refresh(_) => {
                let Some(session) = self.session(tx)? else {
                    return Ok(None);
                };
                sessions::delete(tx, session.id)?;
                Ok(Some(Ended {
                    user: Some(session.user_id),
                    session: Some(session.id),
                    key: None,
                }))
            }
            Self::ApiKey(digest) => {
                let revoked = api_keys::revoke_by_digest(tx, digest, now)?;
                Ok(revoked.map(|key| Ended {
                    user: key.user_id,
                    session: None,
                    key: Some(key.id),
                }))
            }
            Self::Access { .. } if !self.holds(tx)? => Ok(None),
            Self::Access {
                user_id,
                session_id,
                jti,
                until,
            } => {
                ended::insert_token(tx, *session_id, jti, *until)?;
                Ok(Some(Ended {
                    user: Some(*user_id),
                    session: Some(*session_id),
                    key: None,
                }))
            }
        }
    }

    fn session(&self, reader: &Reader<'_>) -> Result<Option<Session>> {
        let found = match self {
            Self::Session(digest) => sessions::find_by_digest(reader, digest)?,
            // One spent lately is there, too: its successor lives.
            Self::Refresh(digest) => match refresh_tokens::find(reader, digest)? {
                Some(token) => sessions::find_with_user(reader, token.session_id)?,
                None => None,
            },
            Self::ApiKey(_) | Self::Access { .. } => None,
        };
        Ok(found.map(|(session, _)| session))
    }
}
