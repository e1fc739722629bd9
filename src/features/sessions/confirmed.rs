//! Where a confirmed address is required: what a sign-in to an unconfirmed one comes to, with the right password.

use crate::audit::Event;
use crate::config::Confirm;
use crate::domain::Account;
use std::sync::Arc;

use crate::context::Context;
use crate::domain::error::{Error, Result};
use crate::http::ClientInfo;
use crate::throttle::Limit;

/// Whether a sign-in must fail as if nobody had the address. Where sign-up hides who has an account, a refusal of its own
/// would tell whoever has just signed up with an address that it had been free.
pub(super) fn is_hidden(context: &Context, account: &Account) -> bool {
    context.settings.registration.private && lacks_proof(context, account)
}

/// Refuses an account whose password was right and whose address is not confirmed. That was no failure to guess.
pub(super) async fn require(
    context: &Arc<Context>,
    client: &ClientInfo,
    account: &Account,
    failures: &Limit,
) -> Result<()> {
    if !lacks_proof(context, account) {
        return Ok(());
    }
    let (failures, now) = (failures.clone(), context.clock.now());
    let user = account.user.id;
    let forgiven = context.commit(client, move |change| {
        change.record(Event::SignInUnverified { user });
        failures.forgive(change, now)
    });
    forgiven.await?;
    Err(Error::Unconfirmed)
}

fn lacks_proof(context: &Context, account: &Account) -> bool {
    context.settings.registration.confirm == Confirm::Required
        && account.user.email_confirmed_at.is_none()
}
