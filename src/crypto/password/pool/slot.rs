//! The place of a request in the queue, and what it may compute there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

use super::input::Input;
use super::{Job, Outcome, Shared, cost_of};
use crate::crypto::password::Password;
use crate::domain::clock::Clock;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::{Network, PasswordDigest};

/// The reserved place of one request in the queue of hashes. The first hash takes it; further ones of the same request
/// queue again, and are not refused. Dropped unused, it is free again.
#[derive(Clone)]
pub struct HashSlot(Arc<Place>);

struct Place {
    shared: Arc<Shared>,
    network: Network,
    is_reserved: AtomicBool,
}

impl HashSlot {
    pub(super) fn new(shared: Arc<Shared>, network: Network) -> Self {
        Self(Arc::new(Place {
            shared,
            network,
            is_reserved: AtomicBool::new(true),
        }))
    }

    /// The digest of a newly chosen password, at the configured cost. `words` are easy to guess for this user: the
    /// address, the service's name. `is_common` looks it up in lists, on the thread that hashes.
    ///
    /// # Errors
    /// Those of `is_common`; [`Error::Validation`] if the password is common or easily guessed and the settings reject
    /// that.
    pub async fn hash_choice(
        &self,
        password: Password,
        words: &[&str],
        is_common: impl FnOnce(&Password) -> Result<bool> + Send + 'static,
    ) -> Result<PasswordDigest> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let (cost, reject_common) = (self.0.shared.cost, self.0.shared.reject_common);
        self.digest_of(move || {
            let common = is_common(&password)?;
            let listed =
                || common.then_some("is on lists that attackers try first: choose another");
            if reject_common && let Some(reason) = password.guessed_because(&words).or_else(listed)
            {
                let mut invalid = ValidationErrors::field("password", "is too common");
                invalid.add("password", reason);
                return Err(invalid.into());
            }
            Input::hash(&password, cost)
        })
        .await
    }

    /// The digest of a password that is in use already, at the configured cost.
    pub async fn hash(&self, password: Password) -> Result<PasswordDigest> {
        let cost = self.0.shared.cost;
        self.digest_of(move || Input::hash(&password, cost)).await
    }

    /// Whether `offered` is the password of `digest`. If either is missing, the result is `false` after the same work.
    pub async fn verify(
        &self,
        offered: Option<Password>,
        digest: Option<PasswordDigest>,
    ) -> Result<bool> {
        let cost = self.0.shared.cost;
        let prepare = move || match (offered, digest) {
            (Some(password), Some(digest)) => Input::verify(&password, &digest),
            // An impossible password takes as long as a wrong one for that account.
            (None, Some(digest)) => Input::dummy(cost_of(&digest).unwrap_or(cost)),
            (_, None) => Input::dummy(cost),
        };
        match self.submit(prepare).await? {
            Outcome::Verdict(verdict) => Ok(verdict),
            Outcome::Digest(_) => Err(Error::internal("verifying gave a digest")),
        }
    }

    async fn digest_of(
        &self,
        prepare: impl FnOnce() -> Result<Input> + Send + 'static,
    ) -> Result<PasswordDigest> {
        match self.submit(prepare).await? {
            Outcome::Digest(digest) => Ok(digest),
            Outcome::Verdict(_) => Err(Error::internal("hashing gave a verdict")),
        }
    }

    pub(super) async fn submit(
        &self,
        prepare: impl FnOnce() -> Result<Input> + Send + 'static,
    ) -> Result<Outcome> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            queued: Clock::System.monotonic(),
            prepare: Box::new(prepare),
            reply,
        };
        let is_reserved = self.0.is_reserved.swap(false, Ordering::Relaxed);
        self.0.shared.push(self.0.network, job, is_reserved);
        answer.await.map_err(Error::internal)?
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if *self.is_reserved.get_mut() {
            self.shared.lock().release(self.network);
        }
    }
}
