//! The way in by address and password, whatever is handed out for it: limits, time, refusals and mails are the same.

use std::time::Duration;

use actix_web::web;

use super::attempt::Attempt;
use super::{Opening, ROUNDS, Started, confirmed};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::{Input, Visit, audit, to_the_end};
use crate::model::{PasswordDigest, Session, SessionId, User, UserId};
use crate::store::Transaction;
use crate::store::users::{self, Account};
use crate::throttle::Rule;
use crate::token::PlainToken;

/// Somebody who has just signed in.
pub(in crate::features) struct SignedIn<T> {
    pub(in crate::features) user: User,
    pub(in crate::features) session: Session,
    /// Of the session; shown nowhere yet.
    pub(in crate::features) token: PlainToken,
    /// What was made beside the session.
    pub(in crate::features) made: T,
}

/// Starts a session for `email_address` and `password`, with what `also` makes in the same transaction; once that is on
/// disk, `tell` logs it, whether or not the client still waits.
pub(in crate::features) async fn start_by_password<T: Send + 'static>(
    context: &web::Data<Context>,
    visit: &Visit,
    input: &Input,
    also: impl Fn(&Transaction<'_>, &Session, Timestamp) -> Result<T> + Clone + Send + 'static,
    tell: fn(&Visit, UserId, SessionId),
) -> Result<SignedIn<T>> {
    let attempt = Attempt::read(input)?;
    let failures = context
        .throttle
        .address_failures(&attempt.typed_address, visit.ip);
    let mut attempt = attempt.admit(context, visit, &failures).await?;

    for _ in 0..ROUNDS {
        let account = attempt.verify(context, visit).await?;
        confirmed::require(context, visit, &account, &failures).await?;
        let rehashed = attempt.rehash(context, &account).await;
        let now = context.clock.now();
        let (opening, token) = Opening::prepare(context, visit, attempt.remember, now)?;
        opening.make_ready(context, account.user.id).await?;
        let (shared, visit) = (web::Data::clone(context), visit.clone());
        let (verified, failures, also) = (account.clone(), failures.clone(), also.clone());
        let started = to_the_end(async move {
            let user = verified.user.id;
            let write = move |tx: &Transaction<'_>| {
                let started = sign_in(tx, &verified, rehashed.as_ref(), &failures, &opening, now)?;
                started
                    .map(|started| Ok((also(tx, &started.session, now)?, started)))
                    .transpose()
            };
            let started = shared.database.write(write).await?;
            Ok(started.map(
                |(
                    made,
                    Started {
                        session,
                        evicted,
                        replaced,
                        new_device,
                    },
                )| {
                    if new_device {
                        shared.courier.wake();
                    }
                    audit::signed_in(&visit, user, session.id, evicted, replaced, new_device);
                    tell(&visit, user, session.id);
                    (session, made)
                },
            ))
        });
        if let Some((session, made)) = started.await? {
            return Ok(SignedIn {
                user: account.user,
                session,
                token,
                made,
            });
        }
    }
    Err(Error::unavailable(
        "digest_unsettled",
        Duration::from_secs(1),
    ))
}

/// Gives `None` when the digest is no longer the one that was verified: a reset, or another sign-in that wrote it
/// at a new cost, was faster. Which of the two, only checking again tells.
fn sign_in(
    tx: &Transaction<'_>,
    verified: &Account,
    rehashed: Option<&PasswordDigest>,
    failures: &Rule,
    opening: &Opening,
    now: Timestamp,
) -> Result<Option<Started>> {
    let id = verified.user.id;
    let unchanged = users::find(tx, id)?.is_some_and(|account| {
        account.password_digest == verified.password_digest && account.user.disabled_at.is_none()
    });
    if !unchanged {
        return Ok(None);
    }
    if let Some(digest) = rehashed {
        users::replace_digest(tx, id, &verified.password_digest, digest, now)?;
    }
    failures.forgive(tx, now)?;
    opening.start(tx, id, now).map(Some)
}
