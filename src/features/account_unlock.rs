//! Unlocking sign-in to an address after too many failures, by a mailed link: `PUT /v1/unlocks`, or
//! `PUT /v1/unlocks/{token}` with the token in the path.
//!
//! # Threats
//! - an attacker who fails on purpose to lock the owner out: the link opens a counter for the network that uses it, which
//!   no other network can fill
//! - a link used twice or concurrently: it names the window that it lifts, and one conditional delete decides
//! - a link that outlives a change of password or address: it is bound to both
//! - guessing by an opened network: its counter has the same limit
//! - links in logs: clients send the token in the body; of a path, only the route's pattern is logged

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use crate::accounts::mailed_link::open_link;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::signed_link;
use crate::crypto::signed_message::SignedMessage;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{Account, ClientInfo};
use crate::http::error_codes;
use crate::http::{Access, Body, LinkInput, Message, Route};
use crate::store::users;
use crate::throttle::Limit;

const LINK_INVALID: Error = Error::LinkInvalid("Unlock link is invalid or has expired.");

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::put("/v1/unlocks", Access::Public, update)
            .operation("unlock", "Unlock sign-in to an email address")
            .returns::<Message>(200, "Sign-in unlocked for the network of the client")
            .errors(&[error_codes::LINK_INVALID]),
        Route::put("/v1/unlocks/{token}", Access::Public, update_by_path)
            .operation("unlockByPath", "Unlock sign-in to an email address")
            .description("Proxies log paths: prefer `PUT /v1/unlocks`.")
            .returns::<Message>(200, "Sign-in unlocked for the network of the client"),
    ]
}

async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    Body(input): Body<LinkInput>,
) -> Result<HttpResponse> {
    use_link(&context, &client, input.token()?).await
}

async fn update_by_path(
    context: web::Data<Context>,
    client: ClientInfo,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    use_link(&context, &client, &token).await
}

async fn use_link(
    context: &Arc<Context>,
    client: &ClientInfo,
    token: &str,
) -> Result<HttpResponse> {
    let now = context.clock.now();
    let (link, account) = opened(context, client, token, now).await?;
    let failures = context
        .throttle
        .address_failures(account.user.email_address.as_str(), client.ip);
    let unlocked = context.commit(client, move |change| {
        let unlocked = unlock(change, &link, &failures, now)?;
        if !unlocked {
            change.record(Event::UnlockRefused);
        }
        Ok(unlocked)
    });
    if !unlocked.await? {
        return Err(LINK_INVALID);
    }
    Ok(HttpResponse::Ok().json(Message::new("Sign-in is possible again.")))
}

/// The link and the account that it is for.
async fn opened(
    context: &Context,
    client: &ClientInfo,
    token: &str,
    now: Timestamp,
) -> Result<(SignedMessage, Account)> {
    let window = context.settings.throttle.address_failures.window;
    let Some(link) = signed_link::verify_unlock(&context.key_ring, token, window, now) else {
        return Err(refused(context, client));
    };
    let opened = open_link(context, link, signed_link::unlock_holds).await?;
    opened.ok_or_else(|| refused(context, client))
}

/// `false` when the link no longer holds or its window is lifted already: of concurrent uses one wins.
fn unlock(
    change: &Change<'_>,
    link: &SignedMessage,
    failures: &Limit,
    now: Timestamp,
) -> Result<bool> {
    let user = link.subject;
    let holds =
        users::find(change, user)?.is_some_and(|account| signed_link::unlock_holds(link, &account));
    let unlocked = holds && failures.unlock(change, link.expires_at, now)?;
    if unlocked {
        change.record(Event::Unlocked { user });
    }
    Ok(unlocked)
}

fn refused(context: &Context, client: &ClientInfo) -> Error {
    context.refused(client, Event::UnlockRefused);
    LINK_INVALID
}
