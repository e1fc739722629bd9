//! The outbox worker: finds the account behind an intention, mints the link, sends, and notes what came of it. A notice
//! needs no account: it goes to the address as it was written, and says what was written with it.
//!
//! Rows are leased, so that several processes share one table and a worker that dies loses its rows to another. The
//! try is counted before it is made and the success noted after: a crash between the two costs a second copy with
//! the same Message-ID, never a lost mail. What fails is tried again, later each time; what cannot succeed any more
//! ends as a dead letter.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{join_all, pending, select};
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{
    Event, Failure, Kind, LONGEST_SEND, Letter, Link, Templates, Transport, Variables, compose,
};
use crate::clock::Clock;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::keys::{Keys, Purpose};
use crate::links;
use crate::signed::pseudonym;
use crate::store::api_keys;
use crate::store::outbox::{self, Intention};
use crate::store::users::{self, Account};
use crate::store::{Database, Reader, Transaction};
use crate::token::fill_random;

/// Longer than the longest try, so that a row is never sent by two workers.
const LEASE: Duration = LONGEST_SEND.saturating_add(Duration::from_secs(60));
/// Mails under way at once.
const AT_ONCE: u32 = 8;
/// After so many tries a mail is given up.
const MAX_ATTEMPTS: u32 = 10;
const FIRST_DELAY: Duration = Duration::from_secs(5);
const LONGEST_DELAY: Duration = Duration::from_secs(3600);
/// Another process may have added a row: nobody wakes us for that.
const POLL: Duration = Duration::from_secs(5);

/// Delivers what the outbox holds.
pub struct Courier {
    settings: Settings,
    database: Database,
    keys: Keys,
    clock: Clock,
    templates: Templates,
    transport: Transport,
    arrived: Notify,
    stopping: AtomicBool,
}

impl Courier {
    /// One that sends by `transport`; it does nothing before [`Courier::run`] or [`Courier::deliver_due`].
    ///
    /// # Errors
    /// A template cannot be used.
    pub fn new(
        settings: &Settings,
        database: Database,
        keys: Keys,
        clock: Clock,
        transport: Transport,
    ) -> Result<Self> {
        Ok(Self {
            templates: Templates::load(settings.mail.templates.as_deref())?,
            settings: settings.clone(),
            database,
            keys,
            clock,
            transport,
            arrived: Notify::new(),
            stopping: AtomicBool::new(false),
        })
    }

    /// Says that a row was added: it is looked at now and not at the next round.
    pub fn wake(&self) {
        self.arrived.notify_one();
    }

    /// Ends [`Courier::run`] when the mails under way are done.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    /// How mails leave.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Delivers until [`Courier::stop`]. A mail server that is slow with some mails holds up no others, as long as
    /// there is room among those under way.
    pub async fn run(&self) {
        let mut under_way = FuturesUnordered::new();
        while !self.stopping.load(Ordering::Relaxed) {
            let room = AT_ONCE.saturating_sub(u32::try_from(under_way.len()).unwrap_or(AT_ONCE));
            let mut wait = POLL;
            match self.lease(room).await {
                Ok(leased) => {
                    if room > u32::try_from(leased.len()).unwrap_or(AT_ONCE) {
                        wait = self.until_next().await;
                    }
                    under_way.extend(leased.into_iter().map(|intention| self.deliver(intention)));
                }
                Err(failure) => log_failure(&failure),
            }
            if under_way.is_empty() {
                self.transport.rest().await;
            }
            // One that ends makes room; else there is something to do when a row arrives or is due.
            let ended = async {
                match under_way.next().await {
                    Some(outcome) => outcome.unwrap_or_else(|failure| log_failure(&failure)),
                    None => pending().await,
                }
            };
            let _ = timeout(wait, select(pin!(ended), pin!(self.arrived.notified()))).await;
        }
        while let Some(outcome) = under_way.next().await {
            outcome.unwrap_or_else(|failure| log_failure(&failure));
        }
        self.transport.rest().await;
    }

    /// Tries each mail that is due now once; gives how many they were.
    pub async fn deliver_due(&self) -> Result<usize> {
        let leased = self.lease(AT_ONCE).await?;
        let count = leased.len();
        for outcome in join_all(leased.into_iter().map(|intention| self.deliver(intention))).await {
            outcome?;
        }
        Ok(count)
    }

    async fn lease(&self, room: u32) -> Result<Vec<Intention>> {
        if room == 0 {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        self.database
            .write(move |tx| outbox::lease(tx, LEASE, room, now))
            .await
    }

    async fn until_next(&self) -> Duration {
        match self.database.read(outbox::next_due).await {
            Ok(Some(due)) => due.since(self.clock.now()).min(POLL),
            Ok(None) | Err(_) => POLL,
        }
    }

    async fn deliver(&self, intention: Intention) -> Result<()> {
        let intention = &intention;
        let Some(kind) = Kind::parse(&intention.kind) else {
            return self.give_up(intention, "no mail has this name").await;
        };
        if self.clock.now() >= intention.expires_at {
            return self
                .give_up(intention, &format!("{} has expired", what_ends(kind)))
                .await;
        }
        let account = self.find_account(kind, intention).await?;
        if account.is_none() && !kind.is_notice() {
            // The row is gone as it would be after any other end, and the log does not tell it apart.
            let id = intention.id;
            return self.database.write(move |tx| outbox::delete(tx, id)).await;
        }
        let last_four = self.find_last_four(kind, intention).await?;
        let letter = match self.write_letter(
            kind,
            intention,
            account.as_ref(),
            last_four.as_deref(),
        ) {
            Ok(letter) => letter,
            Err(fault) => {
                tracing::error!(target: "cloakroom::mail", mail = intention.id, %fault, "a mail could not be written");
                return self.give_up(intention, "it could not be written").await;
            }
        };
        match self
            .transport
            .send(&format!("{}-{}", intention.kind, intention.id), &letter)
            .await
        {
            Ok(()) => self.note_sent(kind, intention).await,
            Err(Failure::Permanent(reason)) => self.give_up(intention, &reason).await,
            Err(Failure::Transient(reason)) => self.try_later(kind, intention, &reason).await,
        }
    }

    /// Whose link it is; `None` when there is nobody to write to, and for notices.
    async fn find_account(&self, kind: Kind, intention: &Intention) -> Result<Option<Account>> {
        if kind.is_notice() {
            return Ok(None);
        }
        let intention = intention.clone();
        let found = self.database.read(move |reader| match kind {
            Kind::AddressChange => find_by_pending_address(reader, &intention),
            _ => users::find_by_address(reader, &intention.email_address),
        });
        Ok(found.await?.filter(|Account { user, .. }| {
            user.disabled_at.is_none()
                && (kind != Kind::Confirmation || user.email_confirmed_at.is_none())
        }))
    }

    /// How the API key ends that was made with this notice, in one transaction and so at the same time; empty when it
    /// is gone, and `None` for other kinds.
    async fn find_last_four(&self, kind: Kind, intention: &Intention) -> Result<Option<String>> {
        let (Kind::ApiKeyCreated, Some(owner)) = (kind, intention.user_id) else {
            return Ok(None);
        };
        let keys = self
            .database
            .read(move |reader| api_keys::list_for_user(reader, owner))
            .await?;
        let made = keys
            .iter()
            .filter(|key| key.created_at == intention.created_at);
        let ends: Vec<&str> = made.map(|key| key.last_four.as_str()).collect();
        Ok(Some(ends.join(" or ")))
    }

    fn write_letter(
        &self,
        kind: Kind,
        intention: &Intention,
        account: Option<&Account>,
        last_four: Option<&str>,
    ) -> Result<Letter> {
        let now = self.clock.now();
        let url = account.and_then(|account| self.mint_link(kind, intention, account));
        let expires_in = intention.expires_at.since(now);
        let event = intention.ip_address.as_deref().map(|ip_address| Event {
            at: intention.created_at,
            ip_address,
            user_agent: intention.user_agent.as_deref(),
            last_four,
        });
        let variables = Variables {
            service_name: &self.settings.mail.service_name,
            link: url.as_deref().map(|url| Link { url, expires_in }),
            event,
        };
        let words = self.templates.render(kind, &variables)?;
        let from = &self.settings.mail.from;
        let unique = pseudonym(&self.keys, Purpose::MessageId, &intention.id.to_string());
        let message_id = format!("<{unique}@{}>", from.email.domain());
        compose(
            from,
            intention.email_address.as_str(),
            &message_id,
            now,
            &words,
        )
    }

    /// What the mail is for; notices have no link.
    fn mint_link(&self, kind: Kind, intention: &Intention, account: &Account) -> Option<String> {
        let (settings, keys, expires_at) = (&self.settings, &self.keys, intention.expires_at);
        let link = match kind {
            Kind::Confirmation | Kind::AddressChange => {
                let address = &intention.email_address;
                let token = links::sign_confirmation(keys, account, address, expires_at);
                links::confirmation_url(settings, &token)
            }
            Kind::Unlock => {
                links::unlock_url(settings, &links::sign_unlock(keys, account, expires_at))
            }
            Kind::PasswordReset | Kind::AlreadyRegistered => {
                links::reset_url(settings, &links::sign_reset(keys, account, expires_at))
            }
            Kind::NewDevice
            | Kind::PasswordChanged
            | Kind::AddressChangeAsked
            | Kind::AddressChanged
            | Kind::AccountDeleted
            | Kind::RefreshReused
            | Kind::ApiKeyCreated => return None,
        };
        Some(link)
    }

    async fn note_sent(&self, kind: Kind, intention: &Intention) -> Result<()> {
        let (id, about, now) = (intention.id, intention.user_id, self.clock.now());
        let note = move |tx: &Transaction<'_>| match about {
            // A warning that outlived the account: the last that was kept of it.
            Some(user) if kind.is_notice() && users::find(tx, user)?.is_none() => {
                outbox::delete(tx, id)
            }
            _ => outbox::mark_sent(tx, id, now),
        };
        self.database.write(note).await?;
        tracing::info!(
            target: "cloakroom::mail", mail = id, kind = intention.kind, attempt = intention.attempts, "a mail was sent"
        );
        Ok(())
    }

    async fn try_later(&self, kind: Kind, intention: &Intention, reason: &str) -> Result<()> {
        let attempts = u32::try_from(intention.attempts).unwrap_or(u32::MAX);
        if attempts >= MAX_ATTEMPTS {
            return self.give_up(intention, reason).await;
        }
        let now = self.clock.now();
        let delay = delay_after(attempts)?;
        if now + delay >= intention.expires_at {
            let too_late = format!("{} would have expired; last: {reason}", what_ends(kind));
            return self.give_up(intention, &too_late).await;
        }
        tracing::warn!(
            target: "cloakroom::mail", mail = intention.id, attempt = attempts, reason, again_in_s = delay.as_secs(),
            "a mail could not be sent"
        );
        let (id, noted) = (intention.id, reason.to_owned());
        self.database
            .write(move |tx| outbox::mark_failed(tx, id, &noted, now + delay))
            .await
    }

    async fn give_up(&self, intention: &Intention, reason: &str) -> Result<()> {
        tracing::error!(
            target: "cloakroom::mail", mail = intention.id, kind = intention.kind, attempts = intention.attempts, reason,
            "a mail was given up: see `cloakroom mail list`"
        );
        let (id, now, noted) = (intention.id, self.clock.now(), reason.to_owned());
        self.database
            .write(move |tx| outbox::mark_dead(tx, id, &noted, now))
            .await
    }
}

/// What a mail that came later would be without.
fn what_ends(kind: Kind) -> &'static str {
    if kind.is_notice() {
        "its news"
    } else {
        "its link"
    }
}

/// Whoever asked for this address, if they still want it and nobody has it by now.
fn find_by_pending_address(reader: &Reader<'_>, intention: &Intention) -> Result<Option<Account>> {
    let address = &intention.email_address;
    let Some(id) = intention.user_id else {
        return Ok(None);
    };
    if users::find_by_address(reader, address)?.is_some() {
        return Ok(None);
    }
    Ok(users::find(reader, id)?
        .filter(|account| account.pending_email_address.as_ref() == Some(address)))
}

fn log_failure(failure: &Error) {
    tracing::error!(target: "cloakroom::mail", %failure, "the outbox cannot be read or written");
}

/// Doubles with every try, and differs by up to half so that mails that failed together do not come back together.
fn delay_after(attempts: u32) -> Result<Duration> {
    let full = FIRST_DELAY
        .saturating_mul(1 << attempts.saturating_sub(1).min(16))
        .min(LONGEST_DELAY);
    let mut byte = [0];
    fill_random(&mut byte)?;
    Ok(full.mul_f64(0.5 + f64::from(byte[0]) / 510.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_and_are_spread_over_the_upper_half() {
        for attempts in 1..=12 {
            let full = FIRST_DELAY
                .saturating_mul(1 << (attempts - 1))
                .min(LONGEST_DELAY);
            for _ in 0..50 {
                let delay = delay_after(attempts).unwrap();
                assert!(delay >= full / 2 && delay <= full, "{attempts}: {delay:?}");
            }
        }
    }
}
