//! What a request may reach. Handlers get it as `web::Data<Context>`; there is no global state beside it.

mod claims;
mod commit;
mod hooks;
mod metrics;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use self::commit::{Change, Committed, commit};
pub use self::hooks::{Hooks, SignUp};
pub use self::metrics::Metrics;
use crate::activity::Activity;
use crate::audit::{Entry, Event, Keys, Recorder, Refusals, Source};
use crate::breached_passwords::BreachedPasswords;
use crate::config::{Environment, Revocation, Settings};
use crate::crypto::access_token::{AccessTokens, VerifiedAccessToken};
use crate::crypto::key_ring::KeyRing;
use crate::crypto::password::{HashSlot, PasswordPool};
use crate::crypto::webauthn::RelyingParty;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::MailKind;
use crate::domain::{ClientInfo, EmailAddress, Locale};
use crate::mail::{MailWorker, Notice, Transport};
use crate::outbound::Outbound;
use crate::providers::Providers;
use crate::store::{Database, IfMissing, Reader, Transaction, revocations, sessions};
use crate::throttle::{Admission, Decision, Limit, Throttle, Throttled};

/// Everything that is shared between requests. An app's handlers take it as `web::Data<Context>`; they use
/// [`settings`](Self::settings), [`clock`](Self::clock), [`database`](Self::database) and [`commit`](Self::commit).
///
/// ```
/// use actix_web::{HttpResponse, web};
/// use cloakroom::{ClientInfo, Context, CurrentUser, Result};
///
/// async fn choose_plan(context: web::Data<Context>, client: ClientInfo, user: CurrentUser, plan: String) -> Result<HttpResponse> {
///     let user = user.id;
///     let sql = "UPDATE app_profiles SET plan = $2 WHERE user_id = $1";
///     let changed = context.commit(&client, move |change| change.execute(sql, &[user.into(), (&plan).into()])).await?;
///     Ok(HttpResponse::Ok().json(changed))
/// }
/// ```
pub struct Context {
    /// The settings, checked.
    pub settings: Settings,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub database: Database,
    /// What signs links.
    #[doc(hidden)]
    pub key_ring: KeyRing,
    /// What signs and verifies access tokens.
    #[doc(hidden)]
    pub access_tokens: AccessTokens,
    /// Where passwords are hashed.
    #[doc(hidden)]
    pub passwords: PasswordPool,
    /// Who passkeys are for; `None` where there are none.
    #[doc(hidden)]
    pub relying_party: Option<RelyingParty>,
    /// Where new passwords are looked up.
    #[doc(hidden)]
    pub breached_passwords: BreachedPasswords,
    /// The providers by which users sign in.
    #[doc(hidden)]
    pub providers: Providers,
    /// What delivers mails.
    #[doc(hidden)]
    pub mail_worker: MailWorker,
    /// What adds events to the audit trail.
    #[doc(hidden)]
    pub recorder: Recorder,
    /// What seals the trail.
    #[doc(hidden)]
    pub audit_keys: Arc<Keys>,
    /// Refusals that are not in the trail yet.
    #[doc(hidden)]
    pub refusals: Refusals,
    /// Limits on guessing.
    #[doc(hidden)]
    pub throttle: Throttle,
    /// When sessions were last used, until that is written.
    #[doc(hidden)]
    pub activity: Activity,
    /// What is counted.
    #[doc(hidden)]
    pub metrics: Metrics,
    /// What an embedding app adds.
    #[doc(hidden)]
    pub hooks: Hooks,
    /// Whether a peer that is not trusted sent a forwarding header, which is logged once.
    #[doc(hidden)]
    pub saw_unknown_proxy: AtomicBool,
}

impl Context {
    /// Opens everything that the settings name. Nothing runs in the background yet.
    #[doc(hidden)]
    pub fn open(settings: Settings) -> Result<Self> {
        let transport = Transport::from_settings(&settings.mail)?;
        Self::assemble(settings, Clock::System, transport)
    }

    /// The same with a clock and a transport of the caller's, as tests want it.
    ///
    /// # Errors
    /// The settings are not valid, or what they name cannot be opened.
    #[doc(hidden)]
    pub fn assemble(settings: Settings, clock: Clock, transport: Transport) -> Result<Self> {
        settings.check().map_err(Error::internal)?;
        let database = Database::open(
            &settings.database,
            settings.server.worker_threads(),
            // In production, an empty database in the place of a lost one must not go unnoticed.
            match settings.env {
                Environment::Production => IfMissing::Refuse,
                Environment::Development | Environment::Test => IfMissing::Create,
            },
            clock.clone(),
        )?;
        let outbound = Outbound::new(&settings.outbound);
        let mut key_ring = KeyRing::open(&settings)?;
        let names = key_ring.names();
        let retired = database.record_key_bases(&names, clock.now())?;
        for (name, retired_at) in names.previous.iter().zip(retired) {
            if let Some(retired_at) = retired_at {
                key_ring.note_retirement(name, retired_at);
            }
        }
        let audit_keys = Arc::new(Keys::new(&key_ring));
        Ok(Self {
            access_tokens: AccessTokens::open(&key_ring, &settings)?,
            passwords: PasswordPool::start(&settings.password)?,
            relying_party: relying_party(&settings),
            breached_passwords: BreachedPasswords::open(&settings, &outbound)?,
            providers: Providers::open(&settings, &outbound, &clock)?,
            mail_worker: MailWorker::new(
                &settings,
                database.clone(),
                key_ring.clone(),
                clock.clone(),
                transport,
            )?,
            recorder: Recorder::new(Arc::clone(&audit_keys), clock.clone()),
            audit_keys,
            refusals: Refusals::default(),
            throttle: Throttle::new(settings.throttle.clone(), key_ring.clone()),
            activity: Activity::default(),
            metrics: Metrics::default(),
            hooks: Hooks::default(),
            saw_unknown_proxy: AtomicBool::new(false),
            clock,
            database,
            key_ring,
            settings,
        })
    }

    /// The claims of an access token that is valid now and was not revoked.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`], [`Error::TokenExpired`], and those of reading the database.
    #[doc(hidden)]
    pub async fn verify_access_token(
        &self,
        text: &str,
        now: Timestamp,
    ) -> Result<Arc<VerifiedAccessToken>> {
        let claims = self.access_tokens.verify(text, now)?;
        self.refuse_revoked(claims, now).await
    }

    /// As [`Self::verify_access_token`], for any audience: to describe the token, not to act for its bearer.
    ///
    /// # Errors
    /// Those of [`Self::verify_access_token`].
    pub async fn verify_access_token_for_any_audience(
        &self,
        text: &str,
        now: Timestamp,
    ) -> Result<Arc<VerifiedAccessToken>> {
        let claims = self.access_tokens.verify_for_any_audience(text, now)?;
        self.refuse_revoked(claims, now).await
    }

    async fn refuse_revoked(
        &self,
        claims: Arc<VerifiedAccessToken>,
        now: Timestamp,
    ) -> Result<Arc<VerifiedAccessToken>> {
        if self.is_revoked(&claims, now).await? || !self.is_bound(&claims).await? {
            return Err(Error::TokenInvalid);
        }
        Ok(claims)
    }

    async fn is_revoked(&self, claims: &Arc<VerifiedAccessToken>, now: Timestamp) -> Result<bool> {
        let (database, session_id) = (&self.database, claims.session_id);
        match self.settings.tokens.revocation {
            Revocation::Memory => {
                let issued_at = claims.issued_at();
                database
                    .is_revoked(session_id, &claims.jti, issued_at, now)
                    .await
            }
            Revocation::Strict => {
                let asked = Arc::clone(claims);
                let covers = move |reader: &Reader<'_>| {
                    revocations::covers(reader, asked.session_id, &asked.jti, asked.issued_at())
                };
                database.read(covers).await
            }
        }
    }

    /// Whether the session of an access token is in the database, with its nonce and of its user: after the restore of a
    /// backup, the ids of a token may be those of others. It is read at the first use of a token.
    async fn is_bound(&self, claims: &Arc<VerifiedAccessToken>) -> Result<bool> {
        if claims.is_bound() {
            return Ok(true);
        }
        let asked = Arc::clone(claims);
        let found = self.database.read(move |reader| {
            sessions::belongs_to(
                reader,
                asked.session_id,
                &asked.session_nonce,
                asked.user_id,
            )
        });
        let found = found.await?;
        if found {
            claims.note_bound();
        }
        Ok(found)
    }

    /// Changes something: runs `work` in one transaction, records its audit events with it and wakes the mail worker if
    /// it enqueued mail. All of it is finished although the client hangs up. The call returns after the commit.
    ///
    /// # Errors
    /// Those of the work and of the database; [`Error::Unavailable`] while it does not accept writes.
    pub async fn commit<T, F>(self: &Arc<Self>, source: impl Into<Source>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Change<'_>) -> Result<T> + Send + 'static,
    {
        let (context, source) = (Arc::clone(self), source.into());
        commit::run_detached(async move {
            let Committed {
                value,
                has_mail,
                events,
            } = commit(&context.database, &context.recorder, source, work).await?;
            for event in events {
                context.metrics.events.increment(event);
            }
            if has_mail {
                context.mail_worker.wake();
            }
            Ok(value)
        })
        .await
    }

    /// Finishes several steps although the client hangs up, where hanging up between two commits would help an attacker.
    /// A change alone needs only [`Context::commit`].
    ///
    /// # Errors
    /// Those of the steps; [`Error::Internal`] when they panic.
    pub async fn finish<T: Send + 'static>(
        self: &Arc<Self>,
        steps: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        commit::run_detached(steps).await
    }

    /// Records a refusal, which changes nothing and has no transaction: it is written to the trail with others.
    #[doc(hidden)]
    pub fn refused(&self, client: &ClientInfo, event: Event) {
        self.metrics.events.increment(event.name());
        let entry = Entry::new(&Source::from(client), event);
        entry.write();
        self.refusals.note(&entry, self.clock.now());
    }

    /// Counts one hit of each limit, or none when one of them is exhausted.
    ///
    /// # Errors
    /// [`Error::RateLimited`], recorded, when a limit is exhausted.
    #[doc(hidden)]
    pub async fn admit(&self, client: &ClientInfo, limits: Vec<Limit>) -> Result<Admission> {
        let decision = self
            .throttle
            .admit(&self.database, limits, self.clock.now());
        self.admitted(client, decision.await?)
    }

    /// The same for a request that hashes. It reserves a place in the queue of hashes first, so that a full queue counts
    /// nothing; a client beyond a limit takes no place.
    ///
    /// # Errors
    /// [`Error::RateLimited`], recorded, when a limit is exhausted; [`Error::Unavailable`] when the queue is full.
    #[doc(hidden)]
    pub async fn admit_hashing(
        &self,
        client: &ClientInfo,
        limits: Vec<Limit>,
    ) -> Result<(HashSlot, Admission)> {
        let (throttle, now) = (&self.throttle, self.clock.now());
        let exhausted = throttle.look(&self.database, limits.clone(), now);
        if let Some(throttled) = exhausted.await? {
            return Err(self.throttled(client, throttled));
        }
        let slot = self.passwords.reserve(client.ip)?;
        let decision = throttle.commit(&self.database, limits, now).await?;
        Ok((slot, self.admitted(client, decision)?))
    }

    fn admitted(&self, client: &ClientInfo, decision: Decision) -> Result<Admission> {
        match decision {
            Decision::Admitted(admission) => Ok(admission),
            Decision::Refused(throttled) => Err(self.throttled(client, throttled)),
        }
    }

    /// Does what was admitted. If the server fails meanwhile, the hits are taken back: its faults do not count against
    /// clients.
    ///
    /// # Errors
    /// Those of the work.
    #[doc(hidden)]
    pub async fn counted<T>(
        &self,
        admission: &Admission,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let done = work.await;
        if let Err(Error::Unavailable { .. } | Error::Internal(_)) = done {
            let admission = admission.clone();
            let given_back = self.database.count(move |tx| admission.give_back(tx));
            if let Err(failure) = given_back.await {
                tracing::debug!(%failure, "hits of a failed request stay counted");
            }
        }
        done
    }

    /// The error for a client beyond a limit, which is recorded.
    #[doc(hidden)]
    pub fn throttled(&self, client: &ClientInfo, throttled: Throttled) -> Error {
        let limit = throttled.what;
        self.metrics.limits.increment(limit);
        self.refused(client, Event::Throttled { limit });
        Error::RateLimited(throttled.wait)
    }

    /// The language of a user with these preferences, as mails have it.
    pub fn locale(&self, preferences: &[Locale]) -> Option<Locale> {
        Locale::choose(preferences, self.mail_worker.languages())
    }

    /// Whether users can have and use passkeys.
    #[doc(hidden)]
    pub fn offers_passkeys(&self) -> bool {
        self.relying_party.is_some()
    }

    /// The notice by mail of a change that this client makes; `None` where the settings turn it off.
    #[doc(hidden)]
    pub fn notice(&self, client: &ClientInfo, kind: MailKind) -> Option<Notice> {
        let throttle = self.throttle.clone();
        let admit = move |tx: &Transaction<'_>, address: &EmailAddress, now| {
            throttle.admits(tx, &throttle.notices(address).of_kind(kind.as_str()), now)
        };
        let (ip, user_agent) = (client.ip.to_string(), client.user_agent.as_deref());
        Notice::new(
            &self.settings.notices,
            kind,
            ip,
            user_agent,
            Arc::new(admit),
        )
    }
}

fn relying_party(settings: &Settings) -> Option<RelyingParty> {
    let domain = settings.passkeys.domain(&settings.server)?;
    let origins = settings.passkeys.allowed_origins(&settings.server);
    Some(RelyingParty::new(domain, origins))
}
