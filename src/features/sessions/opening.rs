//! Where every way in ends: a session is started, and those that it pushes out end.

use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::Result;
use crate::http::Visit;
use crate::model::{Session, UserId};
use crate::store::Transaction;
use crate::store::sessions::{self as rows, NewSession};
use crate::token::{PlainToken, TokenDigest, TokenKind};

/// A session about to be started. Every way in ends here: sign-up, sign-in, whatever comes later.
#[derive(Clone, Debug)]
pub(in crate::features) struct Opening {
    new: NewSession,
    max_per_user: u32,
    /// The session that ends for it, by its token: the one whose cookie the same browser carries.
    replaces: Option<TokenDigest>,
}

/// A session that was started.
#[derive(Clone, Debug)]
pub(in crate::features) struct Started {
    pub(in crate::features) session: Session,
    /// How many of the user's others ended for it.
    pub(in crate::features) evicted: usize,
}

impl Opening {
    /// A fresh token, and all that the transaction needs to know of it.
    pub(in crate::features) fn prepare(
        context: &Context,
        visit: &Visit,
        remember: bool,
        now: Timestamp,
    ) -> Result<(Self, PlainToken)> {
        let token = PlainToken::generate(TokenKind::Session)?;
        let settings = &context.settings.session;
        let lifetime = if remember { settings.remember_lifetime } else { settings.lifetime };
        let new = NewSession {
            token_digest: token.digest(),
            ip_address: visit.ip.to_string(),
            user_agent: visit.user_agent.clone(),
            expires_at: now + lifetime,
        };
        Ok((Self { new, max_per_user: settings.max_per_user, replaces: visit.cookie }, token))
    }

    /// Starts it in the place of the one that it replaces; beyond the number that a user may have, the least recently
    /// active one ends.
    pub(in crate::features) fn start(
        &self,
        tx: &Transaction<'_>,
        user_id: UserId,
        now: Timestamp,
    ) -> Result<Started> {
        if let Some(replaced) = &self.replaces {
            rows::delete_by_digest(tx, replaced)?;
        }
        let session = rows::insert(tx, user_id, &self.new, now)?;
        let evicted = rows::delete_beyond(tx, user_id, session.id, self.max_per_user)?;
        Ok(Started { session, evicted })
    }
}
