//! Exchanging a refresh token, which is spent, for a new pair.
//!
//! # Threats
//! - a copied token: each is valid once; a second use, by either party, ends its session, and the user is notified by mail
//! - an honest client whose reply was lost, or two windows that refresh at once: for ten seconds a spent token returns the
//!   same pair again, derived from a stored seed; the database alone yields no token
//! - a token whose successor was used already: refused, without ending the session, within those ten seconds
//! - two successors: one transaction spends the token, and concurrent ones find it spent
//! - another audience than that of the first pair: it is stored with the family, and a request names none
//! - a token without end: its family ends with its session, which no refresh extends
//! - a session kept alive after its user left it idle: an expired session refreshes nothing
//! - a changed clock: spent within ten seconds before or after now is recent; everything else is long ago
//! - floods of invalid tokens: a token of no family costs a look-up and no write

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::reply::{Pair, TokenLifetimes, Validity};
use crate::accounts::standing::session_end;
use crate::audit::Event;
use crate::config::Settings;
use crate::context::{Change, Context};
use crate::crypto::signed_message::{Successor, successors};
use crate::crypto::token::{PlainToken, ReplaySeed, TokenKind};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::MailKind;
use crate::domain::scope::Scopes;
use crate::domain::{ClientInfo, Session, TokenDigest, User};
use crate::http::{Body, SecretText};
use crate::mail::{self, Notice};
use crate::store::refresh_tokens::{self, GRACE, NewRefresh, RefreshToken, Spent};
use crate::store::{Reader, sessions};
use crate::throttle::{Throttle, Throttled};

pub(super) async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    Body(input): Body<RefreshInput>,
) -> Result<HttpResponse> {
    let presented = read(&input)?.ok_or_else(|| refused(&context, &client))?;
    let (family, digest) = (presented.family(), presented.digest());
    let owner = context
        .database
        .read(move |reader| owner_of(reader, &family))
        .await?;
    let (session, _) = owner.ok_or_else(|| refused(&context, &client))?;

    let seed = ReplaySeed::generate()?;
    let new = successors(&context.key_ring, &presented, &seed).next();
    let new = new.ok_or_else(|| Error::internal("there is no key to make a successor with"))??;
    let exchange = Exchange {
        presented: digest,
        family,
        seed,
        successor: new.token.digest(),
        last_use: context.activity.last_of(&session),
        idle_timeout: context.settings.session.idle_timeout,
        lifetimes: TokenLifetimes::of(&context.settings),
        most: context.settings.tokens.scopes.clone(),
        audiences: audiences(&context.settings),
        throttle: context.throttle.clone(),
        notice: context.notice(&client, MailKind::RefreshReused),
        now: context.clock.now(),
    };
    let outcome = context.commit(&client, move |change| exchange.run(change));
    let (kept, successor) = match outcome.await? {
        Outcome::Spent(kept) => (kept, new),
        Outcome::Again(kept, spent) => {
            let successor =
                again(&context, &presented, &spent)?.ok_or_else(|| refused(&context, &client))?;
            (kept, successor)
        }
        Outcome::Reused => return Err(Error::InvalidGrant),
        Outcome::Throttled(refusal) => return Err(context.throttled(&client, refusal)),
        Outcome::Refused => return Err(refused(&context, &client)),
    };
    let Successor { token, jti } = &successor;
    let Kept {
        session,
        audience,
        scopes,
        term,
    } = &kept;
    Pair {
        session,
        audience: audience.as_deref(),
        scopes,
        jti,
        term: *term,
        refresh: Some(token),
    }
    .reply(&context)
    .await
}

/// The token that renews an access token.
#[derive(Deserialize, ToSchema)]
pub(super) struct RefreshInput {
    #[schema(value_type = String)]
    refresh_token: SecretText,
}

/// `None` for a text that is no refresh token.
fn read(input: &RefreshInput) -> Result<Option<PlainToken>> {
    let text = input.refresh_token.expose();
    if text.trim().is_empty() {
        return Err(Error::Malformed("The refresh_token is missing"));
    }
    Ok(PlainToken::parse(TokenKind::Refresh, text))
}

fn refused(context: &Context, client: &ClientInfo) -> Error {
    context.refused(client, Event::RefreshRefused);
    Error::InvalidGrant
}

fn owner_of(reader: &Reader<'_>, family: &TokenDigest) -> Result<Option<(Session, User)>> {
    match refresh_tokens::session_of_family(reader, family)? {
        Some(id) => reader.look_up(&sessions::by_id(id)),
        None => Ok(None),
    }
}

/// The successor that a spent token was spent for; `None` when the key is gone that made it.
fn again(context: &Context, presented: &PlainToken, spent: &Spent) -> Result<Option<Successor>> {
    let Some(seed) = &spent.seed else {
        return Ok(None);
    };
    for candidate in successors(&context.key_ring, presented, seed) {
        let candidate = candidate?;
        if candidate.token.digest() == spent.successor {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

fn audiences(settings: &Settings) -> Vec<String> {
    let mut names = settings.tokens.audiences.clone();
    names.push(settings.audience().to_owned());
    names
}

/// A token about to be spent, with all that the transaction needs to know of it.
struct Exchange {
    presented: TokenDigest,
    family: TokenDigest,
    seed: ReplaySeed,
    successor: TokenDigest,
    /// When its session was last used, as far as that was known before the transaction.
    last_use: Timestamp,
    idle_timeout: Duration,
    lifetimes: TokenLifetimes,
    /// The scopes there are to give.
    most: Scopes,
    /// The audiences there are tokens for.
    audiences: Vec<String>,
    throttle: Throttle,
    notice: Option<Notice>,
    now: Timestamp,
}

/// What came of it. Refusals are outcomes, too: an error would undo what they did.
enum Outcome {
    /// It was good, and is spent for its successor.
    Spent(Kept),
    /// It was spent a moment ago, for this.
    Again(Kept, Spent),
    /// It was spent before: its session has ended.
    Reused,
    /// It is good, and stays so: its user has had too many lately.
    Throttled(Throttled),
    /// It is unknown, the time of its session is over, or there are no tokens for its audience any more; nothing has
    /// changed.
    Refused,
}

/// What a pair is made of, beside the tokens.
struct Kept {
    session: Session,
    audience: Option<String>,
    scopes: Scopes,
    term: Validity,
}

impl Exchange {
    fn run(&self, change: &Change<'_>) -> Result<Outcome> {
        let owner = owner_of(change, &self.family)?;
        let Some((session, user)) = owner.filter(|(session, user)| self.is_live(session, user))
        else {
            return Ok(Outcome::Refused);
        };
        // One that is not there while its family is was spent, too, and forgotten.
        let Some(token) = refresh_tokens::find(change, &self.presented)? else {
            return self.end(change, &session, &user);
        };
        match token.spent.clone() {
            Some(spent) if !self.is_lately(spent.at) => self.end(change, &session, &user),
            _ if !self.is_served(&token) => Ok(Outcome::Refused),
            None => self.spend(change, session, &token),
            Some(spent) => {
                let next = refresh_tokens::find(change, &spent.successor)?;
                if next.is_none_or(|next| next.spent.is_some()) {
                    // Its successor was received and used, so that this is no reply that was lost.
                    return Ok(Outcome::Refused);
                }
                change.record(Event::RefreshRepeated {
                    user: session.user_id,
                    session: session.id,
                });
                let scopes = self.still_given(&token.scopes);
                let term = Validity {
                    issued_at: spent.at,
                    expires_at: spent.access_until,
                };
                Ok(Outcome::Again(
                    Kept {
                        session,
                        audience: token.audience,
                        scopes,
                        term,
                    },
                    spent,
                ))
            }
        }
    }

    fn spend(
        &self,
        change: &Change<'_>,
        session: Session,
        token: &RefreshToken,
    ) -> Result<Outcome> {
        let limit = self.throttle.tokens(session.user_id);
        if let Some(throttled) = self.throttle.count(change, &[limit], self.now)?.refused() {
            return Ok(Outcome::Throttled(throttled));
        }
        let term = self.lifetimes.term(&session, self.now);
        let (presented, until) = (&self.presented, term.expires_at);
        if !refresh_tokens::spend(
            change,
            presented,
            &self.seed,
            &self.successor,
            until,
            self.now,
        )? {
            return Err(Error::internal("a token was spent that was not"));
        }
        let scopes = self.still_given(&token.scopes);
        let (token_digest, expires_at) = (self.successor, token.expires_at);
        let new = NewRefresh {
            family_digest: self.family,
            token_digest,
            audience: token.audience.as_deref(),
            scopes: &scopes,
            expires_at,
        };
        refresh_tokens::insert(change, session.id, &new, self.now)?;
        refresh_tokens::delete_spent(change, &self.family, self.now - GRACE)?;
        sessions::note_access(change, session.id, until, self.now)?;
        change.record(Event::TokensRefreshed {
            user: session.user_id,
            session: session.id,
        });
        Ok(Outcome::Spent(Kept {
            session,
            audience: token.audience.clone(),
            scopes,
            term,
        }))
    }

    fn is_live(&self, session: &Session, user: &User) -> bool {
        let last_use = self.last_use.max(session.last_active_at);
        session_end(session, user, last_use, self.idle_timeout, self.now).is_some()
    }

    fn is_lately(&self, spent_at: Timestamp) -> bool {
        self.now.since(spent_at).max(spent_at.since(self.now)) < GRACE
    }

    /// Whether the operator still has the audience of a token.
    fn is_served(&self, token: &RefreshToken) -> bool {
        let mut audience = token.audience.iter();
        audience.all(|name| self.audiences.contains(name))
    }

    /// A scope that the operator has taken back meanwhile is given no more.
    fn still_given(&self, scopes: &Scopes) -> Scopes {
        let words: Vec<&str> = scopes.words().filter(|word| self.most.has(word)).collect();
        Scopes::from_words(&words).unwrap_or_default()
    }

    /// The whole family goes with its session, and all its access tokens: either use may have been the attacker's.
    fn end(&self, change: &Change<'_>, session: &Session, user: &User) -> Result<Outcome> {
        sessions::delete(change, session.id)?;
        mail::notify(change, self.notice.as_ref(), user, self.now)?;
        change.record(Event::RefreshReused {
            user: user.id,
            session: session.id,
        });
        Ok(Outcome::Reused)
    }
}
