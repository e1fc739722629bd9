//! The outbox worker: finds the account of an outbox row, signs the link, sends the mail and records the outcome.
//!
//! Rows are leased, so several processes share one table, and another worker takes over the rows of one that crashed.
//! The attempt is counted before it is made and the success recorded after: a crash between the two sends a second copy
//! with the same Message-ID, and no mail is lost. Failed mails are tried again, with growing delays; a mail that cannot
//! succeed any more is given up and kept for `cloakroom mail list`.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, join_all, pending, select};
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::backoff::delay_after;
use super::ceiling;
use super::message::{Email, check_sender, compose};
use super::recipient::{Recipient, address_request};
use super::send_error::SendError;
use super::slots::{AT_ONCE, Slots};
use super::smtp::LONGEST_SEND;
use super::templates::{Event, KeyFacts, Link, Templates, Variables};
use super::transport::Transport;
use crate::config::{Environment, Settings};
use crate::crypto::key_ring::{KeyRing, Purpose};
use crate::crypto::mail_code::MailCode;
use crate::crypto::signed_link;
use crate::crypto::signed_message::pseudonym;
use crate::domain::clock::Clock;
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::{LinkPurpose, MailKind};
use crate::domain::{Account, Locale, TokenDigest};
use crate::metrics::Counters;
use crate::store::outbox::{self, BusyDomains, OutboxEntry};
use crate::store::users;
use crate::store::{Database, Transaction};

/// Longer than the longest attempt, so that two workers never send one row.
const LEASE: Duration = LONGEST_SEND.saturating_add(Duration::from_secs(60));
/// A mail is given up after this many attempts.
const MAX_ATTEMPTS: u32 = 10;
/// How often to look for rows that another process added.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Sends the mails of the outbox.
pub struct MailWorker {
    settings: Settings,
    database: Database,
    key_ring: KeyRing,
    clock: Clock,
    templates: Templates,
    transport: Transport,
    arrived: Notify,
    stopping: AtomicBool,
    /// The end of the window, in milliseconds, whose ceiling the log reported.
    reported_window: AtomicI64,
    outcomes: Counters,
}

/// How the attempts to send mails ended.
const SENT: &str = "sent";
const POSTPONED: &str = "postponed";
const GIVEN_UP: &str = "given_up";

impl MailWorker {
    /// A worker that sends by `transport`, once [`MailWorker::run`] or [`MailWorker::deliver_due`] is called.
    ///
    /// # Errors
    /// A template cannot be used.
    pub fn new(
        settings: &Settings,
        database: Database,
        key_ring: KeyRing,
        clock: Clock,
        transport: Transport,
    ) -> Result<Self> {
        check_sender(&settings.mail.from)?;
        if settings.env == Environment::Production && matches!(transport, Transport::File(_)) {
            tracing::warn!(
                target: "cloakroom::mail", directory = %settings.mail.directory.display(),
                "mails are written to files and not sent: mail.transport \"file\" is for development"
            );
        }
        Ok(Self {
            templates: Templates::load(settings.mail.templates.as_deref())?,
            settings: settings.clone(),
            database,
            key_ring,
            clock,
            transport,
            arrived: Notify::new(),
            stopping: AtomicBool::new(false),
            reported_window: AtomicI64::new(0),
            outcomes: Counters::new([SENT, POSTPONED, GIVEN_UP]),
        })
    }

    /// Reports that a row was added, so that it is sent now.
    pub fn wake(&self) {
        self.arrived.notify_one();
    }

    /// Ends [`MailWorker::run`] after the mails that are being sent.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    /// How attempts ended, since the start.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.outcomes.get()
    }

    /// The languages of mails besides English.
    pub fn languages(&self) -> &[Locale] {
        self.templates.languages()
    }

    /// The transport.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Sends mails until [`MailWorker::stop`].
    pub async fn run(&self) {
        let mut in_flight = FuturesUnordered::new();
        let mut slots = Slots::default();
        while !self.stopping.load(Ordering::Relaxed) {
            let free = slots.free(Instant::now());
            let busy = slots.busy_domains();
            let mut wait = POLL_INTERVAL;
            match self.lease(free, busy.clone()).await {
                Ok(leased) => {
                    if free > leased.len() {
                        wait = self.until_next(&busy).await;
                    }
                    for entry in leased {
                        slots.take(entry.id, entry.email_address.domain(), Instant::now());
                        in_flight.push(async { (entry.id, self.deliver(entry).await) });
                    }
                }
                Err(failure) => log_failure(&failure),
            }
            if in_flight.is_empty() {
                self.transport.close_idle().await;
            }
            // A delivery that ends or becomes slow frees a slot; otherwise there is work when a row arrives or is due.
            wait = wait.min(slots.until_next_slow(Instant::now()).unwrap_or(wait));
            let ended = async {
                match in_flight.next().await {
                    Some(ended) => ended,
                    None => pending().await,
                }
            };
            if let Ok(Either::Left(((id, outcome), _))) =
                timeout(wait, select(pin!(ended), pin!(self.arrived.notified()))).await
            {
                slots.release(id);
                outcome.unwrap_or_else(|failure| log_failure(&failure));
            }
        }
        while let Some((_, outcome)) = in_flight.next().await {
            outcome.unwrap_or_else(|failure| log_failure(&failure));
        }
        self.transport.close_idle().await;
    }

    /// Tries each mail that is due now once; returns their number.
    pub async fn deliver_due(&self) -> Result<usize> {
        let leased = self.lease(AT_ONCE, BusyDomains::default()).await?;
        let count = leased.len();
        for outcome in join_all(leased.into_iter().map(|entry| self.deliver(entry))).await {
            outcome?;
        }
        Ok(count)
    }

    async fn lease(&self, limit: usize, busy: BusyDomains) -> Result<Vec<OutboxEntry>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let (limit, now) = (u32::try_from(limit).unwrap_or(u32::MAX), self.clock.now());
        self.database
            .write(move |tx| outbox::lease(tx, LEASE, limit, &busy, now))
            .await
    }

    async fn until_next(&self, busy: &BusyDomains) -> Duration {
        let busy = busy.clone();
        match self
            .database
            .read(move |reader| outbox::next_due(reader, &busy))
            .await
        {
            Ok(Some(due)) => due.since(self.clock.now()).min(POLL_INTERVAL),
            Ok(None) | Err(_) => POLL_INTERVAL,
        }
    }

    async fn deliver(&self, entry: OutboxEntry) -> Result<()> {
        let entry = &entry;
        let Some(kind) = MailKind::parse(&entry.kind) else {
            return self.give_up(entry, "no kind of mail has this name").await;
        };
        let now = self.clock.now();
        if now >= entry.expires_at {
            return self
                .give_up(entry, &format!("{} has expired", what_ends(kind)))
                .await;
        }
        let row = entry.clone();
        let found = self
            .database
            .read(move |reader| Recipient::find(reader, kind, &row, now));
        let recipient = found.await?;
        if recipient.account.is_none() && !kind.is_notice() {
            // Unknown addresses leave no trace, in the table or in the log.
            let id = entry.id;
            return self.database.write(move |tx| outbox::delete(tx, id)).await;
        }
        // An address of an intranet or of a machine is no address of a mailbox on the internet.
        if matches!(self.transport, Transport::Smtp(_)) && !entry.email_address.has_public_domain()
        {
            let reason = "no mail is sent to a domain without a dot or to an IP address";
            return self.give_up(entry, reason).await;
        }
        let request = match recipient.account.as_ref().filter(|_| kind.has_code()) {
            None => None,
            Some(account) => match address_request(&self.database, entry, account, now).await? {
                Some(request) => Some(request),
                None => {
                    let id = entry.id;
                    return self.database.write(move |tx| outbox::delete(tx, id)).await;
                }
            },
        };
        let email = match self.write(kind, entry, &recipient, request.as_ref()) {
            Ok(email) => email,
            Err(fault) => {
                tracing::error!(target: "cloakroom::mail", mail = entry.id, %fault, "a mail could not be written");
                return self.give_up(entry, "it could not be written").await;
            }
        };
        if !self.is_below_ceiling(kind, entry).await? {
            return Ok(());
        }
        match self
            .transport
            .send(&format!("{}-{}", entry.kind, entry.id), &email)
            .await
        {
            Ok(()) => self.note_sent(kind, entry).await,
            Err(SendError::Permanent(reason)) => self.give_up(entry, &reason).await,
            Err(SendError::Transient(reason)) => self.try_later(kind, entry, &reason).await,
        }
    }

    /// Counts the mail; if too many were sent within the hour, postpones it.
    async fn is_below_ceiling(&self, kind: MailKind, entry: &OutboxEntry) -> Result<bool> {
        let (ceiling, id, now) = (self.settings.mail.max_per_hour, entry.id, self.clock.now());
        if ceiling == 0 {
            return Ok(true);
        }
        let count = move |tx: &Transaction<'_>| {
            let until = ceiling::count(tx, ceiling, kind.priority(), now)?;
            if let Some(until) = until {
                outbox::postpone(tx, id, until)?;
            }
            Ok(until)
        };
        let Some(until) = self.database.write(count).await? else {
            return Ok(true);
        };
        if self
            .reported_window
            .swap(until.as_millis(), Ordering::Relaxed)
            != until.as_millis()
        {
            tracing::warn!(
                target: "cloakroom::mail", max_per_hour = ceiling, again_in_s = until.since(now).as_secs(),
                "the ceiling of mails was reached: mails wait (mail.max_per_hour)"
            );
        }
        Ok(false)
    }

    /// `request` is that of a mailed code.
    fn write(
        &self,
        kind: MailKind,
        entry: &OutboxEntry,
        recipient: &Recipient,
        request: Option<&TokenDigest>,
    ) -> Result<Email> {
        let now = self.clock.now();
        let account = recipient.account.as_ref();
        let url =
            account.and_then(|account| self.sign_link(kind, entry, account, recipient, request));
        let code = request.map(|request| MailCode::of_request(&self.key_ring, request));
        let identity_link = recipient.identity_link.as_ref().map(|(_, request)| request);
        // An operator who retries a mail extends no request.
        let expires_at = identity_link.map_or(entry.expires_at, |request| request.expires_at);
        let expires_in = expires_at.since(now);
        let event = kind.is_notice().then(|| Event {
            at: entry.created_at,
            ip_address: entry.ip_address.as_deref(),
            user_agent: entry.user_agent.as_deref(),
            api_key: recipient.api_key.as_ref().map(|key| KeyFacts {
                last_four: &key.last_four,
                expires_at: key.expires_at,
            }),
        });
        let variables = Variables {
            service_name: &self.settings.mail.service_name,
            name: recipient.name.as_deref(),
            link: url.as_deref().map(|url| Link {
                url,
                expires_in,
                code: code.as_ref().map(MailCode::reveal),
                provider: identity_link
                    .map(|request| self.settings.provider_name(&request.provider)),
            }),
            event,
        };
        // The account's language first: the request may be an attacker's.
        let locale = account.and_then(|account| account.user.locale.as_ref());
        let locale = locale.or(entry.locale.as_ref());
        let words = self.templates.render(kind, locale, &variables)?;
        let from = &self.settings.mail.from;
        let unique = pseudonym(&self.key_ring, Purpose::MessageId, &entry.id.to_string());
        let message_id = format!("<{unique}@{}>", from.domain());
        compose(from, entry.email_address.as_str(), &message_id, now, &words)
    }

    /// The URL of the link; `None` for notices.
    fn sign_link(
        &self,
        kind: MailKind,
        entry: &OutboxEntry,
        account: &Account,
        recipient: &Recipient,
        request: Option<&TokenDigest>,
    ) -> Option<String> {
        let (key_ring, expires_at) = (&self.key_ring, entry.expires_at);
        let purpose = kind.link()?;
        let token = match purpose {
            LinkPurpose::Reset => signed_link::sign_reset(key_ring, account, expires_at),
            LinkPurpose::Confirmation | LinkPurpose::AddressChange => {
                let address = &entry.email_address;
                signed_link::sign_confirmation(key_ring, account, address, expires_at)
            }
            LinkPurpose::Unlock => signed_link::sign_unlock(key_ring, account, expires_at),
            LinkPurpose::MailCode => {
                signed_link::sign_mail_link(key_ring, account, request?, expires_at)
            }
            LinkPurpose::IdentityLink => {
                let (id, request) = recipient.identity_link.as_ref()?;
                let bound_to = (*id, &*request.identity);
                signed_link::sign_identity_link(key_ring, account, bound_to, request.expires_at)
            }
        };
        Some(self.settings.mailed_link(purpose, &token))
    }

    async fn note_sent(&self, kind: MailKind, entry: &OutboxEntry) -> Result<()> {
        let (id, about, now) = (entry.id, entry.user_id, self.clock.now());
        let note = move |tx: &Transaction<'_>| match about {
            // The account was deleted, so nothing about it is kept.
            Some(user) if kind.is_notice() && users::find(tx, user)?.is_none() => {
                outbox::delete(tx, id)
            }
            _ => outbox::mark_sent(tx, id, now),
        };
        self.database.write(note).await?;
        self.outcomes.increment(SENT);
        tracing::info!(
            target: "cloakroom::mail", mail = id, kind = entry.kind, attempt = entry.attempts, "a mail was sent"
        );
        Ok(())
    }

    async fn try_later(&self, kind: MailKind, entry: &OutboxEntry, reason: &str) -> Result<()> {
        let attempts = u32::try_from(entry.attempts).unwrap_or(u32::MAX);
        if attempts >= MAX_ATTEMPTS {
            return self.give_up(entry, reason).await;
        }
        let now = self.clock.now();
        let delay = delay_after(attempts)?;
        if now + delay >= entry.expires_at {
            let too_late = format!("{} would have expired; last: {reason}", what_ends(kind));
            return self.give_up(entry, &too_late).await;
        }
        tracing::warn!(
            target: "cloakroom::mail", mail = entry.id, attempt = attempts, reason, again_in_s = delay.as_secs(),
            "a mail could not be sent"
        );
        self.outcomes.increment(POSTPONED);
        let (id, noted) = (entry.id, reason.to_owned());
        self.database
            .write(move |tx| outbox::mark_failed(tx, id, &noted, now + delay))
            .await
    }

    async fn give_up(&self, entry: &OutboxEntry, reason: &str) -> Result<()> {
        tracing::error!(
            target: "cloakroom::mail", mail = entry.id, kind = entry.kind, attempts = entry.attempts, reason,
            "a mail was given up: see `cloakroom mail list`"
        );
        self.outcomes.increment(GIVEN_UP);
        let (id, now, noted) = (entry.id, self.clock.now(), reason.to_owned());
        self.database
            .write(move |tx| outbox::mark_dead(tx, id, &noted, now))
            .await
    }
}

/// What expires in a mail that is late.
fn what_ends(kind: MailKind) -> &'static str {
    if kind.is_notice() {
        "the notice"
    } else {
        "its link"
    }
}

fn log_failure(failure: &Error) {
    tracing::error!(target: "cloakroom::mail", %failure, "the outbox cannot be read or written");
}
