//! A new token for the session that one has, for when the old one may have been seen.
//!
//! Fears: two tokens of one session (the new one takes the old one's place in its row, by one conditional update: of
//! many at once one wins); a session that lives for ever (it ends when it would have ended); who saw the old token and
//! had refresh tokens for it (they end; access tokens run out).

use actix_web::{HttpResponse, web};

use super::respond_with_session;
use crate::audit::Event;
use crate::context::Context;
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::Session;
use crate::domain::error::{Error, Result};
use crate::http::{ClientInfo, CurrentSession, CurrentUser};
use crate::store::{refresh_tokens, sessions as rows};

pub(super) async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    session: CurrentSession,
) -> Result<HttpResponse> {
    let token = PlainToken::generate(TokenKind::Session)?;
    let (id, presented, new) = (session.id, *session.presented(), token.digest());
    let last_active_at = context.activity.last_of(&session);
    let rotated = Session {
        last_active_at,
        ..Session::clone(&session)
    };
    let owner = user.id;
    let done = user.commit(&context, &client, move |change| {
        let rotated = rows::rotate(change, id, &presented, &new)?;
        if rotated {
            refresh_tokens::delete_for_session(change, id)?;
            change.record(Event::SessionRotated {
                user: owner,
                session: id,
            });
        }
        Ok(rotated)
    });
    if !done.await? {
        // The session has another token by now.
        return Err(Error::TokenInvalid);
    }
    respond_with_session(
        HttpResponse::Ok(),
        &context,
        session.carrier(),
        &token,
        &user,
        &rotated,
    )
}
