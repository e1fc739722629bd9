//! Second factors of a user: which there are, and the use of one.
//!
//! # Threats
//! - a code that is used twice, also at once, on two nodes or after a restart: its time step is stored by one conditional
//!   update, and a recovery code is deleted by its use
//! - guessing: the caller counts by user, and a pending sign-in by its row
//! - a database that was copied: secrets are sealed, and of recovery codes there are digests
//! - a passkey that is presented for another user: it is accepted for its own user alone
//! - an attacker who uses a recovery code: its use is notified by mail

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::passkeys::{VerifiedAssertion, accept_of, verify_assertion};
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::key_ring::{KeyRing, Purpose};
use crate::crypto::recovery_code::RecoveryCode;
use crate::crypto::sealed::{open, seal};
use crate::crypto::totp::TotpSecret;
use crate::crypto::webauthn::AuthenticationResponse;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, UnavailableReason};
use crate::domain::mail_kind::MailKind;
use crate::domain::{AuthMethod, ClientInfo, SecondFactor, Session, TokenDigest, User, UserId};
use crate::mail::{self, Notice};
use crate::store::key_bases::{self, State};
use crate::store::{Database, Reader, Transaction, passkeys, recovery_codes, totp_factors};
use crate::throttle::Throttle;

/// How long a code may take that proves the secret of an authenticator app.
pub const SETUP_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// How many recovery codes a user gets.
const RECOVERY_CODES: usize = 10;
/// When a client may try again after a refusal that lasts until the server is restarted.
const UNTIL_RESTART: Duration = Duration::from_secs(60);
/// The secrets of one transaction that seals them again.
const BATCH: u32 = 200;

/// The second factors that a user can present, passkeys only where the server offers them; empty for a user without
/// one.
pub fn methods(
    reader: &Reader<'_>,
    user: UserId,
    offers_passkeys: bool,
) -> Result<Vec<SecondFactor>> {
    if totp_factors::enrolled_at(reader, user)?.is_none() {
        return Ok(Vec::new());
    }
    let mut methods = vec![SecondFactor::TotpCode];
    if recovery_codes::count(reader, user)? > 0 {
        methods.push(SecondFactor::RecoveryCode);
    }
    if offers_passkeys && passkeys::count(reader, user)? > 0 {
        methods.push(SecondFactor::Passkey);
    }
    Ok(methods)
}

/// The authenticator app of a user, with its secret opened.
pub struct AuthenticatorApp {
    /// Its secret.
    pub secret: TotpSecret,
    /// When the secret was made.
    pub created_at: Timestamp,
    /// When a code proved it; `None` while it is no factor.
    pub enrolled_at: Option<Timestamp>,
}

impl AuthenticatorApp {
    /// The app of a user, proved or not.
    ///
    /// # Errors
    /// Those of [`open`].
    pub fn find(reader: &Reader<'_>, key_ring: &KeyRing, user: UserId) -> Result<Option<Self>> {
        let Some(factor) = totp_factors::find(reader, user)? else {
            return Ok(None);
        };
        let secret = open(key_ring, Purpose::TotpSecret, user, &factor.secret)?;
        Ok(Some(Self {
            secret: TotpSecret::from_bytes(secret),
            created_at: factor.created_at,
            enrolled_at: factor.enrolled_at,
        }))
    }
}

/// A second factor as a client sends it. What a passkey returned is verified when the caller has counted the request.
pub enum Offered<'r> {
    /// A code.
    Code(Presented),
    /// What a passkey returned.
    Passkey(&'r AuthenticationResponse),
}

impl Offered<'_> {
    /// A code of an authenticator app.
    pub fn totp_code(text: &str) -> Self {
        Self::Code(Presented::TotpCode(Zeroizing::new(text.to_owned())))
    }

    /// A recovery code.
    pub fn recovery_code(text: &str) -> Self {
        Self::Code(Presented::RecoveryCode(RecoveryCode::parse(text)))
    }

    /// Whether it can be guessed.
    pub fn is_totp_code(&self) -> bool {
        matches!(self, Self::Code(Presented::TotpCode(_)))
    }

    /// How its user authenticates by it.
    pub fn method(&self) -> AuthMethod {
        match self {
            Self::Code(presented) => presented.method(),
            Self::Passkey(_) => AuthMethod::Key,
        }
    }

    /// Verifies what a passkey returned.
    ///
    /// # Errors
    /// Those of [`verify_assertion`].
    pub async fn verify(self, context: &Context, client: &ClientInfo) -> Result<Presented> {
        match self {
            Self::Code(presented) => Ok(presented),
            Self::Passkey(response) => {
                let verified = verify_assertion(context, client, response).await?;
                Ok(Presented::Passkey(verified.map(Arc::new)))
            }
        }
    }
}

/// A second factor as it was presented.
#[derive(Clone)]
pub enum Presented {
    /// A code of an authenticator app.
    TotpCode(Zeroizing<String>),
    /// A recovery code; `None` for a text that can be none.
    RecoveryCode(Option<RecoveryCode>),
    /// A response by a passkey; `None` for one that was refused.
    Passkey(Option<Arc<VerifiedAssertion>>),
}

impl Presented {
    /// How its user authenticates by it.
    pub fn method(&self) -> AuthMethod {
        match self {
            Self::TotpCode(_) | Self::RecoveryCode(_) => AuthMethod::OneTimeCode,
            Self::Passkey(_) => AuthMethod::Key,
        }
    }

    /// The name of its field.
    pub fn field(&self) -> &'static str {
        match self {
            Self::TotpCode(_) => "totp_code",
            Self::RecoveryCode(_) => "recovery_code",
            Self::Passkey(_) => "passkey",
        }
    }
}

/// What using a second factor needs besides the transaction.
#[derive(Clone)]
pub struct SecondFactors {
    key_ring: KeyRing,
    throttle: Throttle,
    /// The notice of a used recovery code.
    notice: Option<Notice>,
}

impl SecondFactors {
    /// For requests of this client.
    pub fn of(context: &Context, client: &ClientInfo) -> Self {
        Self {
            key_ring: context.key_ring.clone(),
            throttle: context.throttle.clone(),
            notice: context.notice(client, MailKind::RecoveryCodeUsed),
        }
    }

    /// Whether this server can read what it compares a code with: a transaction must not fail by it.
    ///
    /// # Errors
    /// Those of [`open`].
    pub fn check(&self, reader: &Reader<'_>, user: UserId) -> Result<()> {
        AuthenticatorApp::find(reader, &self.key_ring, user).map(drop)
    }

    /// Uses a second factor of a user; `None` if it is wrong or was used.
    pub fn accept(
        &self,
        change: &Change<'_>,
        user: &User,
        presented: &Presented,
        now: Timestamp,
    ) -> Result<Option<AuthMethod>> {
        let accepted = match presented {
            Presented::TotpCode(code) => self.accept_totp_code(change, user.id, code, now)?,
            Presented::RecoveryCode(None) | Presented::Passkey(None) => false,
            Presented::Passkey(Some(verified)) => {
                accept_of(change, &self.throttle, user.id, verified, now)?.is_some()
            }
            Presented::RecoveryCode(Some(code)) => {
                let taken = recovery_codes::take(change, user.id, &code.digest())?;
                if taken {
                    change.record(Event::RecoveryCodeUsed { user: user.id });
                    mail::notify(change, self.notice.as_ref(), user, now)?;
                }
                taken
            }
        };
        Ok(accepted.then(|| presented.method()))
    }

    fn accept_totp_code(
        &self,
        tx: &Transaction<'_>,
        user: UserId,
        code: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let app = AuthenticatorApp::find(tx, &self.key_ring, user)?;
        let Some(app) = app.filter(|app| app.enrolled_at.is_some()) else {
            return Ok(false);
        };
        match app.secret.matching_step(code, now)? {
            Some(step) => totp_factors::use_step(tx, user, step),
            None => Ok(false),
        }
    }
}

/// Stores a new secret that a code is to prove; `false` if the user has an authenticator app.
///
/// # Errors
/// [`UnavailableReason::KeyBaseRetired`] while this server runs with a key base that was replaced: the secret could be
/// lost with the base, since the others are sealed again by now.
pub fn start_setup(
    tx: &Transaction<'_>,
    key_ring: &KeyRing,
    user: UserId,
    secret: &TotpSecret,
    now: Timestamp,
) -> Result<bool> {
    if let State::Retired(_) = key_bases::state(tx, &key_ring.names().current)? {
        let reason = UnavailableReason::KeyBaseRetired;
        return Err(Error::unavailable(reason, UNTIL_RESTART));
    }
    let sealed = seal(key_ring, Purpose::TotpSecret, user, secret.as_bytes())?;
    totp_factors::insert(tx, user, &sealed, now)
}

/// Refuses a session that has not used a second factor, where its user has one.
///
/// # Errors
/// [`Error::InsufficientAuthentication`].
pub async fn require_second_factor(context: &Context, session: &Session) -> Result<()> {
    if session.auth_methods.has_several_factors() {
        return Ok(());
    }
    let (user, passkeys) = (session.user_id, context.offers_passkeys());
    let found = context
        .database
        .read(move |reader| methods(reader, user, passkeys));
    match found.await?.is_empty() {
        true => Ok(()),
        false => Err(Error::InsufficientAuthentication {
            two_factors: true,
            max_age: None,
        }),
    }
}

/// New recovery codes, and their digests.
pub fn new_recovery_codes() -> Result<(Vec<RecoveryCode>, Vec<TokenDigest>)> {
    let codes: Vec<_> = std::iter::repeat_with(RecoveryCode::generate)
        .take(RECOVERY_CODES)
        .collect::<Result<_>>()?;
    let digests = codes.iter().map(RecoveryCode::digest).collect();
    Ok((codes, digests))
}

/// What was removed of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovedFactors {
    /// An authenticator app, with its recovery codes.
    pub totp: bool,
    /// Passkeys.
    pub passkeys: bool,
}

/// Removes the authenticator app of a user; returns whether there was one.
pub fn remove_totp(tx: &Transaction<'_>, user: UserId) -> Result<bool> {
    let removed = totp_factors::delete(tx, user)?;
    recovery_codes::delete_all(tx, user)?;
    Ok(removed)
}

/// Removes all second factors and passkeys of a user.
pub fn remove_all(tx: &Transaction<'_>, user: UserId) -> Result<RemovedFactors> {
    Ok(RemovedFactors {
        totp: remove_totp(tx, user)?,
        passkeys: passkeys::remove_all(tx, user)? > 0,
    })
}

/// Seals under the current key base what a previous one sealed. A secret whose key base is not configured here stays as
/// it is: another node may have it. `stopped` is asked between the batches.
pub async fn seal_again(
    database: &Database,
    key_ring: &KeyRing,
    stopped: impl Fn() -> bool,
) -> Result<()> {
    let mut last = UserId(0);
    while !stopped() {
        let current = key_ring.names().current;
        let batch = database
            .read(move |reader| totp_factors::list_sealed_otherwise(reader, &current, last, BATCH));
        let batch = batch.await?;
        let Some((user, _)) = batch.last() else {
            return Ok(());
        };
        last = *user;
        let mut replacements = Vec::with_capacity(batch.len());
        for (user, old) in batch {
            match open(key_ring, Purpose::TotpSecret, user, &old) {
                Ok(secret) => {
                    let new = seal(key_ring, Purpose::TotpSecret, user, &secret)?;
                    replacements.push((user, old, new));
                }
                Err(failure) => {
                    tracing::warn!(%failure, user = user.0, "cannot open the secret of an authenticator app");
                }
            }
        }
        let write = database.write(move |tx| {
            replacements.iter().try_for_each(|(user, old, new)| {
                totp_factors::reseal(tx, *user, old, new).map(drop)
            })
        });
        write.await?;
    }
    Ok(())
}
