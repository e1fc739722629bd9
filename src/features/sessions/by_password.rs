//! The way in by address and password, whatever is handed out for it: limits, time, refusals and mails are the same.

use std::time::Duration;

use std::sync::Arc;

use super::attempt::Attempt;
use super::{ROUNDS, SessionStart, StartedSession, confirmed};
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::token::PlainToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, UnavailableReason};
use crate::domain::{Account, PasswordDigest, Session, User};
use crate::http::{ClientInfo, Input};
use crate::store::users;
use crate::throttle::Limit;

/// Somebody who has just signed in.
pub(in crate::features) struct SignedIn<T> {
    pub(in crate::features) user: User,
    pub(in crate::features) session: Session,
    /// Of the session; shown nowhere yet.
    pub(in crate::features) token: PlainToken,
    /// What was made beside the session.
    pub(in crate::features) made: T,
}

/// Starts a session for `email_address` and `password`, with what `also` makes in the same transaction.
pub(in crate::features) async fn start_by_password<T: Send + 'static>(
    context: &Arc<Context>,
    client: &ClientInfo,
    input: &Input,
    also: impl Fn(&Change<'_>, &Session, Timestamp) -> Result<T> + Clone + Send + 'static,
) -> Result<SignedIn<T>> {
    let attempt = Attempt::read(input)?;
    let failures = context
        .throttle
        .address_failures(&attempt.typed_address, client.ip);
    let mut attempt = attempt.admit(context, client, &failures).await?;

    for _ in 0..ROUNDS {
        let account = attempt.verify(context, client).await?;
        confirmed::require(context, client, &account, &failures).await?;
        let rehashed = attempt.rehash(context, &account).await;
        let now = context.clock.now();
        let (opening, token) = SessionStart::prepare(context, client, attempt.remember, now)?;
        opening.make_ready(context, account.user.id).await?;
        let (verified, failures, also) = (account.clone(), failures.clone(), also.clone());
        let started = context.commit(client, move |change| {
            let started = sign_in(
                change,
                &verified,
                rehashed.as_ref(),
                &failures,
                &opening,
                now,
            )?;
            started
                .map(|session| Ok((also(change, &session, now)?, session)))
                .transpose()
        });
        if let Some((made, session)) = started.await? {
            return Ok(SignedIn {
                user: account.user,
                session,
                token,
                made,
            });
        }
    }
    Err(Error::unavailable(
        UnavailableReason::DigestUnsettled,
        Duration::from_secs(1),
    ))
}

/// Gives `None` when the digest is no longer the one that was verified: a reset, or another sign-in that wrote it
/// at a new cost, was faster. Which of the two, only checking again tells.
fn sign_in(
    change: &Change<'_>,
    verified: &Account,
    rehashed: Option<&PasswordDigest>,
    failures: &Limit,
    opening: &SessionStart,
    now: Timestamp,
) -> Result<Option<Session>> {
    let id = verified.user.id;
    let unchanged = users::find(change, id)?.is_some_and(|account| {
        account.password_digest == verified.password_digest && account.user.disabled_at.is_none()
    });
    if !unchanged {
        return Ok(None);
    }
    if let Some(digest) = rehashed {
        users::replace_digest(change, id, &verified.password_digest, digest, now)?;
    }
    failures.forgive(change, now)?;
    let StartedSession {
        session,
        evicted,
        replaced,
        new_device,
    } = opening.start(change, id, now)?;
    change.record(Event::SignedIn {
        user: id,
        session: session.id,
        evicted,
        replaced,
        new_device,
    });
    Ok(Some(session))
}
