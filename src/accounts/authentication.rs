//! A user who proved who they are, and the proof by password.

use crate::context::Context;
use crate::crypto::password::{HashSlot, Password, is_bcrypt};
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{Account, AuthMethod, AuthMethods, PasswordDigest, UserId};
use crate::store::pending_sign_ins::PendingSignIn;
use crate::store::{Transaction, passwords};

/// A user who proved who they are, a moment ago.
#[derive(Clone, Debug)]
pub struct Authentication {
    /// Who.
    pub user: UserId,
    /// How.
    pub methods: AuthMethods,
    /// When.
    pub at: Timestamp,
    proof: Proof,
}

#[derive(Clone, Debug)]
enum Proof {
    Password(VerifiedPassword),
    /// A passkey, which was accepted in the transaction that uses it.
    Passkey,
    /// A mailed code, or a second factor after a first one, of an account with this `credentials_version`.
    Of {
        credentials_version: i64,
    },
}

#[derive(Clone, Debug)]
struct VerifiedPassword {
    /// The digest that the password matched.
    digest: PasswordDigest,
    /// The same password at the configured cost, where the digest has another.
    rehashed: Option<PasswordDigest>,
}

impl Authentication {
    /// By a password that matches `digest`.
    pub fn by_password(user: UserId, digest: PasswordDigest, at: Timestamp) -> Self {
        Self {
            user,
            methods: AuthMethod::Password.into(),
            at,
            proof: Proof::Password(VerifiedPassword {
                digest,
                rehashed: None,
            }),
        }
    }

    /// By a passkey that was accepted or added in this transaction.
    pub fn by_passkey(user: UserId, at: Timestamp) -> Self {
        Self {
            user,
            methods: AuthMethods::by_passkey(),
            at,
            proof: Proof::Passkey,
        }
    }

    /// By a second factor that finishes a pending sign-in.
    pub fn by_second_factor(pending: &PendingSignIn, method: AuthMethod, at: Timestamp) -> Self {
        Self {
            user: pending.user_id,
            methods: pending.auth_methods.clone().with_second_factor(method),
            at,
            proof: Proof::Of {
                credentials_version: pending.credentials_version,
            },
        }
    }

    /// By a code or a link that was mailed to the address of this account.
    pub fn by_mail(account: &Account, at: Timestamp) -> Self {
        Self::of(account, AuthMethod::OneTimeCode, at)
    }

    /// By an identity at another provider, which belongs to the account.
    pub fn by_identity(account: &Account, at: Timestamp) -> Self {
        Self::of(account, AuthMethod::Provider, at)
    }

    fn of(account: &Account, method: AuthMethod, at: Timestamp) -> Self {
        Self {
            user: account.user.id,
            methods: method.into(),
            at,
            proof: Proof::Of {
                credentials_version: account.credentials_version,
            },
        }
    }

    /// Whether it holds for the account as it is now: not disabled, and with the credentials that were verified.
    pub fn holds(&self, account: &Account) -> bool {
        let same_credentials = match &self.proof {
            Proof::Password(password) => account.password_digest.as_ref() == Some(&password.digest),
            Proof::Passkey => true,
            Proof::Of {
                credentials_version,
            } => account.credentials_version == *credentials_version,
        };
        account.user.id == self.user && account.user.disabled_at.is_none() && same_credentials
    }

    /// Hashes the verified password again where its digest is not at the configured cost. A failure is logged and no
    /// obstacle.
    pub async fn rehash(&mut self, context: &Context, slot: &HashSlot, password: &Password) {
        let Proof::Password(verified) = &mut self.proof else {
            return;
        };
        if !context.passwords.is_outdated(&verified.digest) {
            return;
        }
        match slot.hash(password.clone()).await {
            Ok(digest) => verified.rehashed = Some(digest),
            Err(failure) => {
                tracing::warn!(%failure, user = self.user.0, "a digest keeps its old cost");
            }
        }
    }

    /// Stores what [`Self::rehash`] made.
    pub(super) fn store_rehashed(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
        let Proof::Password(password) = &self.proof else {
            return Ok(());
        };
        match &password.rehashed {
            Some(new) => {
                passwords::replace(tx, self.user, Some(&password.digest), new, now).map(drop)
            }
            None => Ok(()),
        }
    }
}

/// Verifies a password. It costs one hash in each case: for an unknown account, one without a password, a digest that is
/// not bcrypt's and an unusable password too.
pub async fn verify_password(
    context: &Context,
    slot: &HashSlot,
    account: Option<&Account>,
    password: Option<Password>,
) -> Result<Option<Authentication>> {
    let digest = account.and_then(usable_digest);
    let verified = slot.verify(password, digest.clone()).await?;
    let proof = account.zip(digest).filter(|_| verified);
    Ok(proof.map(|(account, digest)| {
        Authentication::by_password(account.user.id, digest, context.clock.now())
    }))
}

/// The digest of the account's password, unless another program wrote one that is not bcrypt's.
fn usable_digest(account: &Account) -> Option<PasswordDigest> {
    let digest = account.password_digest.clone()?;
    let usable = is_bcrypt(&digest);
    if !usable {
        tracing::warn!(
            user = account.user.id.0,
            "the password digest of this user is not bcrypt's: no password matches it"
        );
    }
    usable.then_some(digest)
}
