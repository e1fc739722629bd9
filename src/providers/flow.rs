//! A sign-in that is under way at a provider. What it needs later travels sealed in `state`, so that starting one writes
//! nothing to the database; the digest of a `state` is stored when the browser returns, so that it works once.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use crate::crypto::key_ring::{KeyRing, Purpose};
use crate::crypto::token::random_hex;
use crate::crypto::{s256, sealed_message, sha256};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{TokenDigest, UserId};

/// How long a user may be at the provider.
pub const STATE_LIFETIME: Duration = Duration::from_secs(10 * 60);
/// The longest `state` that is opened.
const LONGEST_STATE: usize = 4096;

/// A sign-in under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flow {
    /// The name of the provider.
    pub provider: String,
    /// The page or app that the sign-in returns to.
    pub redirect_to: String,
    /// The browser or app that started it.
    pub bound_to: BoundTo,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Proves to the provider that the code is ours (RFC 7636).
    pub verifier: String,
}

/// What started a sign-in, and alone may finish it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BoundTo(String);

/// What the browser brings back.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The authorization code.
    pub code: Option<String>,
    /// The issuer (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code (RFC 6749, 4.1.2.1).
    pub error: Option<String>,
    /// The user in JSON, at the first sign-in by Apple. It is not signed: the browser may have changed it.
    pub user: Option<String>,
}

/// A `state` that is ours. It may be expired or used.
pub struct OpenedState {
    /// What it holds.
    pub flow: Flow,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

impl Answer {
    /// The code, unless the provider reports an error.
    pub(super) fn code(&self, is_cancelled: impl Fn(&str) -> bool) -> Result<&str, Refusal> {
        match self.error.as_deref() {
            Some(error) if is_cancelled(error) => return Err(Refusal::AccessDenied),
            Some(_) => return Err(Refusal::ProviderError),
            None => {}
        }
        let code = self.code.as_deref().filter(|code| !code.is_empty());
        code.ok_or(Refusal::CodeMissing)
    }
}

impl BoundTo {
    /// A browser, by the value of its cookie.
    pub fn browser(cookie: &str) -> Self {
        Self(format!("browser {}", s256(cookie)))
    }

    /// An app, by its challenge (RFC 7636).
    pub fn app(challenge: &str) -> Self {
        Self(format!("app {challenge}"))
    }

    /// An app, by the verifier of its challenge.
    pub fn app_with(verifier: &str) -> Self {
        Self::app(&s256(verifier))
    }

    /// The same, for linking an identity to this user: no sign-in can use it.
    pub fn for_user(self, user: UserId) -> Self {
        Self(format!("{} user {}", self.0, user.0))
    }

    /// Whether it is an app, which the provider sends back to by another program: a browser.
    pub fn is_app(&self) -> bool {
        self.0.starts_with("app ")
    }

    /// Whether it is this browser, whatever the sign-in is for.
    pub fn is_browser(&self, cookie: &str) -> bool {
        let browser = Self::browser(cookie).0;
        let rest = self.0.strip_prefix(&browser);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    }

    /// The text for the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Flow {
    /// A new sign-in.
    ///
    /// # Errors
    /// The operating system's generator fails.
    pub fn new(provider: &str, redirect_to: String, bound_to: BoundTo) -> Result<Self> {
        Ok(Self {
            provider: provider.to_owned(),
            redirect_to,
            bound_to,
            nonce: random_hex()?,
            verifier: random_hex()? + &random_hex()?,
        })
    }

    /// One that no browser starts.
    pub(super) fn for_inspection() -> Result<Self> {
        Self::new("", String::new(), BoundTo(String::new()))
    }

    /// The challenge of the verifier.
    pub fn challenge(&self) -> String {
        s256(&self.verifier)
    }

    /// The `state` that holds it.
    ///
    /// # Errors
    /// The operating system's generator fails.
    pub fn seal(&self, key_ring: &KeyRing, now: Timestamp) -> Result<String> {
        let message = serde_json::to_vec(self).map_err(Error::internal)?;
        let expires_at = now + STATE_LIFETIME;
        sealed_message::seal(key_ring, Purpose::ProviderState, expires_at, &message)
    }
}

impl OpenedState {
    /// Opens a `state`; `None` if it is not ours.
    pub fn open(key_ring: &KeyRing, state: &str, now: Timestamp) -> Option<Self> {
        if state.len() > LONGEST_STATE {
            return None;
        }
        let purpose = Purpose::ProviderState;
        let opened = sealed_message::open(key_ring, purpose, state, STATE_LIFETIME, now)?;
        Some(Self {
            flow: serde_json::from_slice(&opened.message).ok()?,
            expires_at: opened.expires_at,
        })
    }

    /// By what it is known that it was used: its nonce is its own.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::new(sha256(&self.flow.nonce))
    }
}
