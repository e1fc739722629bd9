//! The secret key base, the previous ones, and the keys derived from them (HKDF-SHA256, RFC 5869).
//!
//! # Threats
//! - a signature for one purpose accepted for another: each purpose has a key of its own
//! - a previous base that becomes known later, as from an old backup: its keys verify for one lifetime after it was
//!   retired ([`VerifyingKey::verifies_until`]), by when all that it has signed is expired

pub mod file;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::config::{Secret, Settings};
use crate::crypto::hex;
use crate::crypto::token::fill_random;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};

/// What a derived key is for. Its text is part of the derivation and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Links that reset a password.
    PasswordReset,
    /// Links that verify an address.
    Confirmation,
    /// Links that unlock an address.
    Unlock,
    /// Links that sign in, or show a mailed code.
    MailLink,
    /// Mailed codes.
    MailCode,
    /// Links that link an identity at another provider.
    IdentityLink,
    /// Pseudonyms of throttled addresses.
    ThrottledAddress,
    /// Pseudonyms of known devices.
    Device,
    /// Message-IDs of mails, the same at each attempt.
    MessageId,
    /// The seed of the key pair that signs access tokens.
    AccessTokenEd25519,
    /// The key that signs access tokens if HS256 is configured.
    AccessTokenHs256,
    /// The id of that key (`kid`).
    AccessTokenHs256Name,
    /// Successors of refresh tokens.
    RefreshSuccessor,
    /// The name under which the store keeps whether a base signs.
    KeyBaseName,
    /// The key that seals the secrets of authenticator apps.
    TotpSecret,
    /// The key that seals `state` while a user is at another provider.
    ProviderState,
    /// Challenges for passkeys.
    PasskeyChallenge,
    /// The MACs of rows of the audit trail.
    AuditEvent,
    /// The signature of the ends of its chain.
    AuditChain,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 19] = [
        Self::PasswordReset,
        Self::Confirmation,
        Self::Unlock,
        Self::MailLink,
        Self::MailCode,
        Self::IdentityLink,
        Self::ThrottledAddress,
        Self::Device,
        Self::MessageId,
        Self::AccessTokenEd25519,
        Self::AccessTokenHs256,
        Self::AccessTokenHs256Name,
        Self::RefreshSuccessor,
        Self::KeyBaseName,
        Self::TotpSecret,
        Self::ProviderState,
        Self::PasskeyChallenge,
        Self::AuditEvent,
        Self::AuditChain,
    ];

    const fn info(self) -> &'static str {
        match self {
            Self::PasswordReset => "cloakroom v1 password reset",
            Self::Confirmation => "cloakroom v1 confirmation",
            Self::Unlock => "cloakroom v1 unlock",
            Self::MailLink => "cloakroom v1 mail link",
            Self::MailCode => "cloakroom v1 mail code",
            Self::IdentityLink => "cloakroom v1 identity link",
            Self::ThrottledAddress => "cloakroom v1 throttled address",
            Self::Device => "cloakroom v1 device",
            Self::MessageId => "cloakroom v1 message id",
            Self::AccessTokenEd25519 => "cloakroom v1 access token ed25519",
            Self::AccessTokenHs256 => "cloakroom v1 access token hs256",
            Self::AccessTokenHs256Name => "cloakroom v1 access token hs256 name",
            Self::RefreshSuccessor => "cloakroom v1 refresh successor",
            Self::KeyBaseName => "cloakroom v1 key base name",
            Self::TotpSecret => "cloakroom v1 totp secret",
            Self::ProviderState => "cloakroom v1 provider state",
            Self::PasskeyChallenge => "cloakroom v1 passkey challenge",
            Self::AuditEvent => "cloakroom v1 audit event",
            Self::AuditChain => "cloakroom v1 audit chain",
        }
    }
}

/// A key for one purpose: 512 bits, one block of SHA-256.
pub type Key = Zeroizing<[u8; 64]>;

/// A key that verifies.
pub struct VerifyingKey {
    /// The key.
    pub key: Key,
    /// Since when it signs nothing; `None` for a key that signs.
    pub retired_at: Option<Timestamp>,
}

/// The names of a node's bases, which reveal nothing about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseNames {
    /// Of the one that signs.
    pub current: String,
    /// Of the previous ones, but for the current one.
    pub previous: Vec<String>,
}

impl BaseNames {
    /// Whether a name is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.current == name || self.previous.iter().any(|previous| previous == name)
    }
}

/// The current secret key base, which signs, and the previous ones, which still verify.
#[derive(Clone)]
pub struct KeyRing {
    current: Secret,
    previous: Vec<Previous>,
}

#[derive(Clone)]
struct Previous {
    base: Secret,
    retired_at: Option<Timestamp>,
}

impl KeyRing {
    /// From bases of at least 32 bytes each; `config` checks that.
    pub fn new(current: Secret, previous: Vec<Secret>) -> Self {
        let unknown = |base| Previous {
            base,
            retired_at: None,
        };
        Self {
            current,
            previous: previous.into_iter().map(unknown).collect(),
        }
    }

    /// The configured base or, if there is none (development and test), the one in a file beside the database, which
    /// the first start creates with access for its owner only. The previous bases are the configured ones, then those
    /// in a file beside it.
    pub fn open(settings: &Settings) -> Result<Self> {
        let current = match &settings.secrets.key_base {
            Some(configured) => configured.clone(),
            None => {
                file::read_or_create(&beside(&settings.database.path)).map_err(Error::internal)?
            }
        };
        Ok(Self::new(current, previous(settings)?))
    }

    /// Like [`KeyRing::open`], but creates nothing: `None` if the first start would create the base.
    pub fn find(settings: &Settings) -> Result<Option<Self>> {
        let current = match &settings.secrets.key_base {
            Some(configured) => Some(configured.clone()),
            None => file::read(&beside(&settings.database.path)).map_err(Error::internal)?,
        };
        let previous = previous(settings)?;
        Ok(current.map(|current| Self::new(current, previous)))
    }

    /// The file that holds the base; `None` if it is configured.
    pub fn file(settings: &Settings) -> Option<PathBuf> {
        let configured = settings.secrets.key_base.is_some();
        (!configured).then(|| beside(&settings.database.path))
    }

    /// The file that holds the previous bases, newest first, if [`KeyRing::file`] holds the base. It may be missing.
    pub fn previous_file(settings: &Settings) -> Option<PathBuf> {
        let mut path = Self::file(settings)?.into_os_string();
        path.push(".previous");
        Some(path.into())
    }

    /// With another base that signs; the one before is a previous one.
    #[must_use]
    pub fn replaced_by(&self, new: Secret) -> Self {
        let current = Previous {
            base: self.current.clone(),
            retired_at: None,
        };
        let previous = self.previous.iter().cloned();
        Self {
            current: new,
            previous: std::iter::once(current).chain(previous).collect(),
        }
    }

    /// The number of previous bases.
    pub fn previous_count(&self) -> usize {
        self.previous.len()
    }

    /// Whether the current base is listed as a previous one: an interrupted rotation leaves it so.
    pub fn lists_current_as_previous(&self) -> bool {
        self.previous
            .iter()
            .any(|previous| previous.base.expose() == self.current.expose())
    }

    /// The names of all bases.
    pub fn names(&self) -> BaseNames {
        let current = name(&self.current);
        let previous = self.previous.iter().map(|previous| name(&previous.base));
        let previous = previous.filter(|name| *name != current).collect();
        BaseNames { current, previous }
    }

    /// Notes since when the base of this name signs nothing.
    pub fn note_retirement(&mut self, of: &str, retired_at: Timestamp) {
        for previous in &mut self.previous {
            if name(&previous.base) == of {
                previous.retired_at = Some(retired_at);
            }
        }
    }

    /// The key that signs.
    pub fn signing(&self, purpose: Purpose) -> Key {
        derive(&self.current, purpose)
    }

    /// The key of the base of this name, current or previous. What is sealed has no lifetime: a previous base opens it until
    /// it is sealed again.
    pub fn of_base(&self, base: &str, purpose: Purpose) -> Option<Key> {
        let previous = self.previous.iter().map(|previous| &previous.base);
        let mut bases = std::iter::once(&self.current).chain(previous);
        let found = bases.find(|found| name(found) == base)?;
        Some(derive(found, purpose))
    }

    /// The keys that verify: the current one, then the previous ones.
    pub fn verifying(&self, purpose: Purpose) -> impl Iterator<Item = VerifyingKey> {
        let previous = self.previous.iter();
        std::iter::once((&self.current, None))
            .chain(previous.map(|previous| (&previous.base, previous.retired_at)))
            .map(move |(base, retired_at)| VerifyingKey {
                key: derive(base, purpose),
                retired_at,
            })
    }
}

impl VerifyingKey {
    /// When it stops to verify what is valid for `lifetime`: all that it has signed is expired by then, and what it
    /// would sign is forged. `None` for a key that signs.
    pub fn verifies_until(&self, lifetime: Duration) -> Option<Timestamp> {
        Some(self.retired_at? + lifetime)
    }

    /// Whether it still verifies what is valid for `lifetime`.
    pub fn verifies_at(&self, lifetime: Duration, now: Timestamp) -> bool {
        self.verifies_until(lifetime).is_none_or(|end| now < end)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing([hidden], {} previous)", self.previous.len())
    }
}

/// A new base: 64 random bytes as base64url.
pub fn generate_base() -> Result<Secret> {
    let mut bytes = Zeroizing::new([0_u8; 64]);
    fill_random(bytes.as_mut_slice())?;
    Ok(Secret::from(
        BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice()),
    ))
}

/// The configured previous bases, then those in the file, if there is one.
fn previous(settings: &Settings) -> Result<Vec<Secret>> {
    let mut previous = settings.secrets.previous.clone();
    if let Some(path) = KeyRing::previous_file(settings) {
        previous.extend(file::read_lines(&path).map_err(Error::internal)?);
    }
    Ok(previous)
}

fn derive(base: &Secret, purpose: Purpose) -> Key {
    let mut key = Zeroizing::new([0; 64]);
    // Expanding fails only past 255 times 32 bytes; this is twice.
    let expanded = Hkdf::<Sha256>::new(None, base.expose().as_bytes())
        .expand(purpose.info().as_bytes(), key.as_mut_slice());
    debug_assert!(expanded.is_ok());
    key
}

fn name(base: &Secret) -> String {
    hex(&derive(base, Purpose::KeyBaseName)[..16])
}

fn beside(database: &Path) -> PathBuf {
    database.with_extension("key_base")
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::HashSet;

    use super::*;

    fn base(letter: &str) -> Secret {
        Secret::from(letter.repeat(32))
    }

    /// A ring of bases that repeat these letters.
    pub fn key_ring(current: &str, previous: &[&str]) -> KeyRing {
        let previous = previous.iter().map(|letter| base(letter)).collect();
        KeyRing::new(base(current), previous)
    }

    #[test]
    fn each_purpose_and_base_derives_its_own_key() {
        let (one, two) = (
            KeyRing::new(base("a"), vec![]),
            KeyRing::new(base("b"), vec![]),
        );
        let keys: HashSet<[u8; 64]> = Purpose::ALL
            .iter()
            .map(|purpose| *one.signing(*purpose))
            .collect();
        assert_eq!(keys.len(), Purpose::ALL.len());
        assert_ne!(
            one.signing(Purpose::PasswordReset),
            two.signing(Purpose::PasswordReset)
        );
    }

    #[test]
    fn previous_bases_still_verify() {
        let before = KeyRing::new(base("a"), vec![]);
        let after = KeyRing::new(base("b"), vec![base("a")]);
        let verifying = after.verifying(Purpose::PasswordReset);
        assert_eq!(
            verifying.map(|found| found.key).collect::<Vec<Key>>(),
            [
                after.signing(Purpose::PasswordReset),
                before.signing(Purpose::PasswordReset)
            ]
        );
    }

    #[test]
    fn the_name_of_a_base_is_its_own() {
        let key_ring = KeyRing::new(base("b"), vec![base("a"), base("b")]);
        let before = KeyRing::new(base("a"), vec![]);
        assert_eq!(key_ring.names().previous, [before.names().current]);
        assert_ne!(key_ring.names().current, before.names().current);
    }

    #[test]
    fn printing_a_key_ring_shows_no_base() {
        let key_ring = KeyRing::new(base("a"), vec![base("b")]);
        assert_eq!(format!("{key_ring:?}"), "KeyRing([hidden], 1 previous)");
    }
}
