//! What a mail needs to know of its recipient, read when it is sent: a row of the outbox holds no secret and no link.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::mail_kind::{LinkPurpose, MailKind};
use crate::domain::{Account, ApiKey, ApiKeyId, TokenDigest, User};
use crate::store::identity_link_requests::{self, IdentityLinkRequest};
use crate::store::outbox::OutboxEntry;
use crate::store::{Database, Reader, api_keys, mail_codes, users};

/// Requests of one user for a code that are open at once.
const MAX_OPEN: u32 = 10;

/// The recipient of a mail.
pub(super) struct Recipient {
    /// The account that the link is for; `None` when there is none, and for notices.
    pub(super) account: Option<Account>,
    /// The user's name, if the account is theirs for certain: the mail goes to its verified address.
    pub(super) name: Option<String>,
    /// The API key that a notice is about, unless it was deleted meanwhile.
    pub(super) api_key: Option<ApiKey>,
    /// The request of a link that links an identity, with its id.
    pub(super) identity_link: Option<(i64, IdentityLinkRequest)>,
}

impl Recipient {
    /// Of a mail of this kind in this row.
    pub(super) fn find(
        reader: &Reader<'_>,
        kind: MailKind,
        entry: &OutboxEntry,
        now: Timestamp,
    ) -> Result<Self> {
        let mut account = match kind.is_notice() {
            true => None,
            false => account_of_link(reader, kind, entry)?,
        };
        let identity_link = match entry.subject_id.filter(|_| kind.names_provider()) {
            Some(id) => identity_link_requests::find(reader, id, now)?.map(|found| (id, found)),
            None => None,
        };
        if kind.names_provider() {
            // The request has ended, or the address is another account's by now.
            let user = identity_link.as_ref().map(|(_, request)| request.user_id);
            account = account.filter(|account| Some(account.user.id) == user);
        }
        Ok(Self {
            identity_link,
            name: name(reader, account.as_ref(), entry)?,
            api_key: api_key(reader, kind, entry)?,
            account,
        })
    }
}

/// Makes the request of a mailed code that of the account. Returns what the code is derived from; `None` if the request has
/// ended, or the account has too many open ones. A mail that is tried again finds its request as it was.
pub(super) async fn address_request(
    database: &Database,
    entry: &OutboxEntry,
    account: &Account,
    now: Timestamp,
) -> Result<Option<TokenDigest>> {
    let Some(request) = entry.subject_id else {
        return Ok(None);
    };
    let recipient = (account.user.id, account.credentials_version);
    database
        .write(move |tx| mail_codes::address_to(tx, request, recipient, MAX_OPEN, now))
        .await
}

fn account_of_link(
    reader: &Reader<'_>,
    kind: MailKind,
    entry: &OutboxEntry,
) -> Result<Option<Account>> {
    let link = kind.link();
    let found = match link {
        Some(LinkPurpose::AddressChange) => account_that_wants(reader, entry)?,
        _ => users::find_by_address(reader, &entry.email_address)?,
    };
    let needs_link = |user: &User| {
        user.disabled_at.is_none()
            && (link != Some(LinkPurpose::Confirmation) || user.email_confirmed_at.is_none())
    };
    Ok(found.filter(|account| needs_link(&account.user)))
}

/// The account that requested this address, if it still wants it and no account has it by now.
fn account_that_wants(reader: &Reader<'_>, entry: &OutboxEntry) -> Result<Option<Account>> {
    let address = &entry.email_address;
    let Some(id) = entry.user_id else {
        return Ok(None);
    };
    if users::find_by_address(reader, address)?.is_some() {
        return Ok(None);
    }
    Ok(users::find(reader, id)?
        .filter(|account| account.pending_email_address.as_ref() == Some(address)))
}

fn name(
    reader: &Reader<'_>,
    account: Option<&Account>,
    entry: &OutboxEntry,
) -> Result<Option<String>> {
    let user = match (account, entry.user_id) {
        (Some(account), _) => Some(account.user.clone()),
        (None, Some(id)) => users::find(reader, id)?.map(|account| account.user),
        (None, None) => None,
    };
    Ok(user
        .filter(|user| user.email_confirmed_at.is_some())
        .filter(|user| user.email_address == entry.email_address)
        .and_then(|user| user.name))
}

fn api_key(reader: &Reader<'_>, kind: MailKind, entry: &OutboxEntry) -> Result<Option<ApiKey>> {
    match entry.subject_id.filter(|_| kind.names_api_key()) {
        Some(id) => api_keys::find(reader, ApiKeyId(id)),
        None => Ok(None),
    }
}
