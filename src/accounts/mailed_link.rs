//! Requesting a link by mail, and opening it. The features decide which links there are and what they change.
//!
//! # Threats
//! - enumeration: a request enqueues the same row for every address, and the mail worker finds the account
//! - a flood of mails to one address: limited, without telling the client

use std::sync::Arc;

use crate::audit::Event;
use crate::context::Context;
use crate::crypto::signed_message::SignedMessage;
use crate::domain::error::Result;
use crate::domain::mail_kind::MailKind;
use crate::domain::{Account, ClientInfo, EmailAddress, Locale};
use crate::mail;
use crate::store::users;
use crate::throttle::Limit;

/// A request for a mail with a link.
pub struct LinkRequest {
    /// The mail.
    pub kind: MailKind,
    /// What is recorded, for a known address or not.
    pub event: Event,
    /// Refuses the client.
    pub by_client: Limit,
    /// Leaves the mail out.
    pub by_address: Limit,
    /// The language, if the account has none.
    pub locale: Option<Locale>,
}

impl LinkRequest {
    /// Enqueues the mail for an address that may have an account.
    ///
    /// # Errors
    /// Those of [`Context::admit`] and [`Context::commit`].
    pub async fn enqueue(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
        address: EmailAddress,
    ) -> Result<()> {
        let admission = context.admit(client, vec![self.by_client]).await?;
        let (throttle, now) = (context.throttle.clone(), context.clock.now());
        let (kind, event, by_address) = (self.kind, self.event, self.by_address);
        let locale = self.locale;
        let enqueued = context.commit(client, move |change| {
            change.record(event.clone());
            mail::enqueue_link(change, kind, &address, locale.as_ref(), now, || {
                throttle.admits(change, &by_address, now)
            })
        });
        context.counted(&admission, enqueued).await
    }
}

/// A link with a valid signature and its account; `None` when the account is gone or what the link is bound to has
/// changed. A transaction that uses the link checks it again.
pub async fn open_link(
    context: &Context,
    link: SignedMessage,
    holds: fn(&SignedMessage, &Account) -> bool,
) -> Result<Option<(SignedMessage, Account)>> {
    let subject = link.subject;
    let account = context
        .database
        .read(move |reader| users::find(reader, subject))
        .await?;
    let account = account.filter(|account| holds(&link, account));
    Ok(account.map(|account| (link, account)))
}
