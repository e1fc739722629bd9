//! The authenticator data (6.1): what the authenticator states, and signs in an assertion.

use super::cbor::{Item, Reader};
use super::public_key::PublicKey;
use super::refusal::Refusal;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED_CREDENTIAL: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

pub(super) struct AuthenticatorData<'a> {
    pub(super) rp_id_hash: &'a [u8],
    pub(super) flags: Flags,
    pub(super) sign_count: u32,
    pub(super) attested_credential: Option<AttestedCredential<'a>>,
}

/// A new credential (6.5.2).
pub(super) struct AttestedCredential<'a> {
    pub(super) aaguid: [u8; 16],
    pub(super) credential_id: &'a [u8],
    pub(super) public_key: PublicKey,
}

#[derive(Clone, Copy)]
pub(super) struct Flags(u8);

impl<'a> AuthenticatorData<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let (rp_id_hash, rest) = chunk::<32>(bytes)?;
        let ([flags], rest) = chunk(rest)?;
        let (sign_count, mut rest) = chunk(rest)?;
        let flags = Flags(*flags);
        let mut attested_credential = None;
        if flags.has(ATTESTED_CREDENTIAL) {
            let (credential, after) = AttestedCredential::parse(rest)?;
            (attested_credential, rest) = (Some(credential), after);
        }
        if flags.has(EXTENSIONS) {
            let mut reader = Reader::new(rest);
            if !matches!(reader.item()?, Item::Map(_)) {
                return Err(Refusal::AuthenticatorData);
            }
            rest = reader.rest();
        }
        if !rest.is_empty() {
            return Err(Refusal::TrailingBytes);
        }
        Ok(Self {
            rp_id_hash,
            flags,
            sign_count: u32::from_be_bytes(*sign_count),
            attested_credential,
        })
    }
}

impl<'a> AttestedCredential<'a> {
    /// The credential, and what follows it.
    fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Refusal> {
        let (aaguid, rest) = chunk(bytes)?;
        let (length, rest) = chunk(rest)?;
        let (credential_id, rest) = rest
            .split_at_checked(u16::from_be_bytes(*length).into())
            .ok_or(Refusal::AuthenticatorData)?;
        let (public_key, rest) = PublicKey::read(rest)?;
        let credential = Self {
            aaguid: *aaguid,
            credential_id,
            public_key,
        };
        Ok((credential, rest))
    }
}

impl Flags {
    /// What every ceremony demands. The verification of the user is last: that it is missing is reported of a response in
    /// which nothing else is wrong.
    pub(super) fn check(self) -> Result<(), Refusal> {
        if !self.has(USER_PRESENT) {
            return Err(Refusal::UserPresence);
        }
        if self.backed_up() && !self.backup_eligible() {
            return Err(Refusal::BackupState);
        }
        if !self.has(USER_VERIFIED) {
            return Err(Refusal::UserVerification);
        }
        Ok(())
    }

    pub(super) fn backup_eligible(self) -> bool {
        self.has(BACKUP_ELIGIBLE)
    }

    pub(super) fn backed_up(self) -> bool {
        self.has(BACKED_UP)
    }

    fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

fn chunk<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), Refusal> {
    bytes.split_first_chunk().ok_or(Refusal::AuthenticatorData)
}
