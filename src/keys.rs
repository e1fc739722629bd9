//! The secret key base, the ones before it, and one derived key for each purpose (HKDF-SHA256, RFC 5869), so
//! that what is signed for one purpose never passes for another.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::config::{Secret, Settings};
use crate::error::{Error, Result};
use crate::token::fill_random;

/// What a derived key is for. The text is part of the derivation and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Links that reset a password.
    PasswordReset,
    /// Links that confirm an address.
    Confirmation,
    /// Links that lift the limit on an address.
    Unlock,
    /// Names of throttled addresses, so that the table lists no addresses.
    ThrottledAddress,
    /// Names of devices, so that the table lists no networks.
    Device,
    /// Message-IDs of mails, the same at every try of one mail.
    MessageId,
    /// The seed of the key pair that signs access tokens.
    AccessTokenEd25519,
    /// The key that signs access tokens where HS256 is set.
    AccessTokenHs256,
    /// What that key is called in a token's head.
    AccessTokenHs256Name,
    /// Successors of refresh tokens.
    RefreshSuccessor,
}

impl Purpose {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::PasswordReset,
        Self::Confirmation,
        Self::Unlock,
        Self::ThrottledAddress,
        Self::Device,
        Self::MessageId,
        Self::AccessTokenEd25519,
        Self::AccessTokenHs256,
        Self::AccessTokenHs256Name,
        Self::RefreshSuccessor,
    ];

    const fn info(self) -> &'static str {
        match self {
            Self::PasswordReset => "cloakroom v1 password reset",
            Self::Confirmation => "cloakroom v1 confirmation",
            Self::Unlock => "cloakroom v1 unlock",
            Self::ThrottledAddress => "cloakroom v1 throttled address",
            Self::Device => "cloakroom v1 device",
            Self::MessageId => "cloakroom v1 message id",
            Self::AccessTokenEd25519 => "cloakroom v1 access token ed25519",
            Self::AccessTokenHs256 => "cloakroom v1 access token hs256",
            Self::AccessTokenHs256Name => "cloakroom v1 access token hs256 name",
            Self::RefreshSuccessor => "cloakroom v1 refresh successor",
        }
    }
}

/// A key for one purpose: 512 bits, one block of SHA-256.
pub type Key = Zeroizing<[u8; 64]>;

/// The current secret key base, which signs, and the previous ones, which still verify.
#[derive(Clone)]
pub struct Keys {
    current: Secret,
    previous: Vec<Secret>,
}

impl Keys {
    /// From bases of at least 32 bytes each, as `config` has checked.
    pub fn new(current: Secret, previous: Vec<Secret>) -> Self {
        Self { current, previous }
    }

    /// The configured base or, where none is (development and test), the one in a file beside the database,
    /// made on the first start and readable by its owner alone.
    pub fn open(settings: &Settings) -> Result<Self> {
        let current = match &settings.secrets.key_base {
            Some(configured) => configured.clone(),
            None => read_or_create(&beside(&settings.database.path)).map_err(Error::internal)?,
        };
        Ok(Self::new(current, settings.secrets.previous.clone()))
    }

    /// The file that holds the base; `None` where one is configured.
    pub fn file(settings: &Settings) -> Option<PathBuf> {
        let configured = settings.secrets.key_base.is_some();
        (!configured).then(|| beside(&settings.database.path))
    }

    /// The key that signs.
    pub fn signing(&self, purpose: Purpose) -> Key {
        derive(&self.current, purpose)
    }

    /// The keys that verify, the current one first.
    pub fn verifying(&self, purpose: Purpose) -> impl Iterator<Item = Key> {
        std::iter::once(&self.current).chain(&self.previous).map(move |base| derive(base, purpose))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys([hidden], {} previous)", self.previous.len())
    }
}

/// A new base: 64 random bytes as base64url.
pub fn generate_base() -> Result<Secret> {
    let mut bytes = Zeroizing::new([0_u8; 64]);
    fill_random(bytes.as_mut_slice())?;
    Ok(Secret::from(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

fn derive(base: &Secret, purpose: Purpose) -> Key {
    let mut key = Zeroizing::new([0; 64]);
    // Expanding fails only past 255 times 32 bytes; this is twice.
    let expanded = Hkdf::<Sha256>::new(None, base.expose().as_bytes())
        .expand(purpose.info().as_bytes(), key.as_mut_slice());
    debug_assert!(expanded.is_ok());
    key
}

fn beside(database: &Path) -> PathBuf {
    database.with_extension("key_base")
}

fn read_or_create(path: &Path) -> io::Result<Secret> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim_end().len() >= 32 => Ok(Secret::from(text.trim_end().to_owned())),
        Ok(_) => Err(io::Error::other(format!(
            "{} holds less than 32 bytes: delete it to get a new one",
            path.display()
        ))),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => create(path),
        Err(other) => Err(io::Error::other(format!("{}: {other}", path.display()))),
    }
}

fn create(path: &Path) -> io::Result<Secret> {
    let base = generate_base().map_err(io::Error::other)?;
    // Written aside and linked: of two first starts at once one wins, and a crash leaves no half a key.
    let mut suffix = [0; 8];
    fill_random(&mut suffix).map_err(io::Error::other)?;
    let draft = path.with_extension(format!("key_base.{:x}", u64::from_be_bytes(suffix)));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(base.expose().as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(base),
        Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => read_or_create(path),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn base(letter: &str) -> Secret {
        Secret::from(letter.repeat(32))
    }

    #[test]
    fn every_purpose_and_every_base_has_a_key_of_its_own() {
        let (one, two) = (Keys::new(base("a"), vec![]), Keys::new(base("b"), vec![]));
        let keys: HashSet<[u8; 64]> = Purpose::ALL.iter().map(|purpose| *one.signing(*purpose)).collect();
        assert_eq!(keys.len(), Purpose::ALL.len());
        assert_ne!(one.signing(Purpose::PasswordReset), two.signing(Purpose::PasswordReset));
    }

    #[test]
    fn a_previous_base_still_verifies_after_the_current_one() {
        let before = Keys::new(base("a"), vec![]);
        let after = Keys::new(base("b"), vec![base("a")]);
        let verifying: Vec<Key> = after.verifying(Purpose::PasswordReset).collect();
        assert_eq!(
            verifying,
            [after.signing(Purpose::PasswordReset), before.signing(Purpose::PasswordReset)]
        );
    }

    #[test]
    fn the_file_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloakroom.key_base");
        let first = read_or_create(&path).unwrap();
        assert_eq!(first.expose(), read_or_create(&path).unwrap().expose());
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_cut_short_is_refused_rather_than_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloakroom.key_base");
        fs::write(&path, "short").unwrap();
        assert!(read_or_create(&path).unwrap_err().to_string().contains("less than 32 bytes"));
    }
}
