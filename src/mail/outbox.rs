//! The outbox worker: finds the account behind an intention, mints the link, sends, and notes what came of it.
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

use super::{Failure, Kind, LONGEST_SEND, Letter, Templates, Transport, Variables, compose};
use crate::clock::{Clock, Timestamp};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::keys::{Keys, Purpose};
use crate::links;
use crate::model::EmailAddress;
use crate::signed::pseudonym;
use crate::store::outbox::{self, Intention};
use crate::store::users::{self, Account};
use crate::store::{Database, Transaction};
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

/// Notes that whoever has this address wants to reset their password, whether anybody has it or not. A mail that
/// waits already serves; for another one `admit` is asked.
pub fn request_reset(
    tx: &Transaction<'_>,
    address: &EmailAddress,
    now: Timestamp,
    admit: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    let (kind, expires_at) = (Kind::PasswordReset.as_str(), now + links::RESET_LIFETIME);
    if outbox::renew(tx, kind, address, expires_at)? || !admit()? {
        return Ok(());
    }
    outbox::insert(tx, kind, address, expires_at, now)
}

/// Puts a mail that was not sent back to the start, with a link that lives as long as a new one; `false` when there
/// is none of that id.
pub fn retry(tx: &Transaction<'_>, id: i64, now: Timestamp) -> Result<bool> {
    outbox::retry(tx, id, now + links::RESET_LIFETIME, now)
}

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
        self.database.write(move |tx| outbox::lease(tx, LEASE, room, now)).await
    }

    async fn until_next(&self) -> Duration {
        match self.database.read(outbox::next_due).await {
            Ok(Some(due)) => due.since(self.clock.now()).min(POLL),
            Ok(None) | Err(_) => POLL,
        }
    }

    async fn deliver(&self, intention: Intention) -> Result<()> {
        let intention = &intention;
        let id = intention.id;
        if self.clock.now() >= intention.expires_at {
            return self.give_up(intention, "its link has expired").await;
        }
        let address = intention.email_address.clone();
        let account = self.database.read(move |reader| users::find_by_address(reader, &address)).await?;
        let Some(account) = account.filter(|account| account.user.disabled_at.is_none()) else {
            // The row is gone as it would be after any other end, and the log does not tell it apart.
            return self.database.write(move |tx| outbox::delete(tx, id)).await;
        };
        let letter = match self.write_letter(intention, &account) {
            Ok(letter) => letter,
            Err(fault) => {
                tracing::error!(target: "cloakroom::mail", mail = id, %fault, "a mail could not be written");
                return self.give_up(intention, "it could not be written").await;
            }
        };
        match self.transport.send(&format!("{}-{id}", intention.kind), &letter).await {
            Ok(()) => self.note_sent(intention).await,
            Err(Failure::Permanent(reason)) => self.give_up(intention, &reason).await,
            Err(Failure::Transient(reason)) => self.try_later(intention, &reason).await,
        }
    }

    fn write_letter(&self, intention: &Intention, account: &Account) -> Result<Letter> {
        let kind = Kind::parse(&intention.kind)
            .ok_or_else(|| Error::internal(format!("no mail is called {}", intention.kind)))?;
        let now = self.clock.now();
        let link = match kind {
            Kind::PasswordReset => links::reset_url(
                &self.settings,
                &links::sign_reset(&self.keys, account, intention.expires_at),
            ),
        };
        let words = self.templates.render(
            kind,
            &Variables {
                link: &link,
                expires_in_minutes: intention.expires_at.since(now).as_secs().div_ceil(60),
                service_name: &self.settings.mail.service_name,
            },
        )?;
        let from = &self.settings.mail.from;
        let unique = pseudonym(&self.keys, Purpose::MessageId, &intention.id.to_string());
        let message_id = format!("<{unique}@{}>", from.email.domain());
        compose(from, account.user.email_address.as_str(), &message_id, now, &words)
    }

    async fn note_sent(&self, intention: &Intention) -> Result<()> {
        let (id, now) = (intention.id, self.clock.now());
        self.database.write(move |tx| outbox::mark_sent(tx, id, now)).await?;
        tracing::info!(
            target: "cloakroom::mail", mail = id, kind = intention.kind, attempt = intention.attempts, "a mail was sent"
        );
        Ok(())
    }

    async fn try_later(&self, intention: &Intention, reason: &str) -> Result<()> {
        let attempts = u32::try_from(intention.attempts).unwrap_or(u32::MAX);
        if attempts >= MAX_ATTEMPTS {
            return self.give_up(intention, reason).await;
        }
        let now = self.clock.now();
        let delay = delay_after(attempts)?;
        if now + delay >= intention.expires_at {
            return self.give_up(intention, &format!("its link would have expired; last: {reason}")).await;
        }
        tracing::warn!(
            target: "cloakroom::mail", mail = intention.id, attempt = attempts, reason, again_in_s = delay.as_secs(),
            "a mail could not be sent"
        );
        let (id, noted) = (intention.id, reason.to_owned());
        self.database.write(move |tx| outbox::mark_failed(tx, id, &noted, now + delay)).await
    }

    async fn give_up(&self, intention: &Intention, reason: &str) -> Result<()> {
        tracing::error!(
            target: "cloakroom::mail", mail = intention.id, kind = intention.kind, attempts = intention.attempts, reason,
            "a mail was given up: see `cloakroom mail list`"
        );
        let (id, now, noted) = (intention.id, self.clock.now(), reason.to_owned());
        self.database.write(move |tx| outbox::mark_dead(tx, id, &noted, now)).await
    }
}

fn log_failure(failure: &Error) {
    tracing::error!(target: "cloakroom::mail", %failure, "the outbox cannot be read or written");
}

/// Doubles with every try, and differs by up to half so that mails that failed together do not come back together.
fn delay_after(attempts: u32) -> Result<Duration> {
    let full = FIRST_DELAY.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_DELAY);
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
            let full = FIRST_DELAY.saturating_mul(1 << (attempts - 1)).min(LONGEST_DELAY);
            for _ in 0..50 {
                let delay = delay_after(attempts).unwrap();
                assert!(delay >= full / 2 && delay <= full, "{attempts}: {delay:?}");
            }
        }
    }
}
