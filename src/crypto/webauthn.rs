//! Passkeys: verifies what browsers return for them, as a relying party of Web Authentication Level 3
//! (<https://www.w3.org/TR/webauthn-3/>, 7.1 and 7.2). Why it is ours:
//! `docs/decisions/0046-the-relying-party-of-passkeys-is-ours.md`.
//!
//! Nothing is stored here. The caller issues challenges, accepts each once, finds the passkey by its id, and knows whose
//! it is.
//!
//! # Threats
//! - phishing: the origin is one of a list, compared whole, and the authenticator signed the id of this relying party
//! - a frame of another site: `crossOrigin` and `topOrigin` are refused
//! - a response to another challenge or of the other ceremony: both are in the client data, which is signed
//! - a stolen authenticator: the user must be verified (PIN, biometrics), not merely present
//! - a key of another kind: only ES256 on P-256, EdDSA on Ed25519 and RS256 of 2048 to 8192 bits; a key names its
//!   algorithm, and its signatures are verified under no other
//! - two readings of one response: no repeated keys, no bytes after the end, one base64url form, one CBOR form
//! - a response that costs much: every part is bounded before it is parsed, and CBOR in depth
//! - a copied authenticator: a counter that does not rise is reported and not refused, since passkeys that are synced count
//!   nothing, and a refusal would lock the owner out
//! - a forged model of authenticator: the attestation is not requested and not verified, so the AAGUID is a hint for display

mod authenticator_data;
mod base64url;
mod cbor;
mod client_data;
mod public_key;
mod refusal;
mod responses;

use ring::digest::{SHA256, digest};

use self::authenticator_data::{AttestedCredential, AuthenticatorData};
use self::cbor::{Item, Reader};
use self::client_data::ClientData;
pub use self::public_key::{ALGORITHMS, PublicKey};
pub use self::refusal::Refusal;
pub use self::responses::{AuthenticationResponse, RegistrationResponse};

/// Who passkeys are for.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    id: String,
    origins: Vec<String>,
}

/// A passkey that was verified, to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPasskey {
    /// Its id, 1 to 1,023 bytes that the authenticator chose. It may be another user's: uniqueness is the database's.
    pub credential_id: Vec<u8>,
    /// Its public key.
    pub public_key: PublicKey,
    /// The authenticator's counter; 0 if it has none.
    pub sign_count: u32,
    /// Whether it may be synced to other devices. This never changes.
    pub backup_eligible: bool,
    /// Whether it is synced.
    pub backed_up: bool,
    /// The model of the authenticator, as the client states it; zeroes for none.
    pub aaguid: [u8; 16],
    /// How the browser reaches the authenticator (`internal`, `hybrid`, `usb`, …), sorted; a hint for the next ceremony.
    pub transports: Vec<String>,
}

/// What is stored about a passkey and needed to verify with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPasskey {
    /// Its public key.
    pub public_key: PublicKey,
    /// The counter to compare with.
    pub sign_count: u32,
    /// As [`NewPasskey::backup_eligible`].
    pub backup_eligible: bool,
}

/// What an assertion states, to be stored with the passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// The highest counter so far.
    pub sign_count: u32,
    /// Whether the passkey is synced now.
    pub backed_up: bool,
    /// The counter did not rise: the authenticator may have been copied.
    pub counter_went_back: bool,
}

/// The two ceremonies, by the `type` of their client data.
#[derive(Clone, Copy)]
enum Ceremony {
    Registration,
    Authentication,
}

impl Ceremony {
    fn name(self) -> &'static str {
        match self {
            Self::Registration => "webauthn.create",
            Self::Authentication => "webauthn.get",
        }
    }
}

impl RelyingParty {
    /// `id` is a domain; `origins` are the origins of the pages that may use its passkeys, as browsers write them:
    /// `https://example.org`, or `android:apk-key-hash:…` of an app.
    pub fn new(id: impl Into<String>, origins: Vec<String>) -> Self {
        Self {
            id: id.into(),
            origins,
        }
    }

    /// The domain.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Verifies the reply to `navigator.credentials.create`. `challenge` is the one that was issued.
    ///
    /// The attestation statement is not verified: `none` is requested, and clients that send another all the same only
    /// vouch for a model of authenticator, which nothing here depends on.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn verify_registration(
        &self,
        challenge: &[u8],
        response: &RegistrationResponse,
    ) -> Result<NewPasskey, Refusal> {
        let credential_id = response.credential_id()?;
        let client_data = response.client_data_json()?;
        self.check_client_data(&client_data, Ceremony::Registration, challenge)?;
        let object = response.attestation_object()?;
        let data = AuthenticatorData::parse(authenticator_data_of(&object)?)?;
        self.check_rp_id(&data)?;
        let AttestedCredential {
            aaguid,
            credential_id: attested_id,
            public_key,
        } = data
            .attested_credential
            .ok_or(Refusal::AttestedCredential)?;
        if attested_id != credential_id {
            return Err(Refusal::CredentialId);
        }
        data.flags.check()?;
        Ok(NewPasskey {
            credential_id,
            public_key,
            sign_count: data.sign_count,
            backup_eligible: data.flags.backup_eligible(),
            backed_up: data.flags.backed_up(),
            aaguid,
            transports: response.transports(),
        })
    }

    /// Verifies the reply to `navigator.credentials.get`. `challenge` is the one that was issued, `passkey` the one that
    /// [`AuthenticationResponse::credential_id`] names.
    ///
    /// # Errors
    /// The first rule that it breaks. What the authenticator states in its flags is judged once its signature is valid.
    pub fn verify_assertion(
        &self,
        challenge: &[u8],
        passkey: &StoredPasskey,
        response: &AuthenticationResponse,
    ) -> Result<Assertion, Refusal> {
        response.credential_id()?;
        response.user_handle()?;
        let client_data = response.client_data_json()?;
        self.check_client_data(&client_data, Ceremony::Authentication, challenge)?;
        let signed = response.authenticator_data()?;
        let data = AuthenticatorData::parse(&signed)?;
        self.check_rp_id(&data)?;
        if data.attested_credential.is_some() {
            return Err(Refusal::AttestedCredential);
        }
        let message = [&signed, digest(&SHA256, &client_data).as_ref()].concat();
        passkey
            .public_key
            .verify(&message, &response.signature()?)?;
        if data.flags.backup_eligible() != passkey.backup_eligible {
            return Err(Refusal::BackupEligibility);
        }
        data.flags.check()?;
        let counts = data.sign_count > 0 || passkey.sign_count > 0;
        Ok(Assertion {
            sign_count: data.sign_count.max(passkey.sign_count),
            backed_up: data.flags.backed_up(),
            counter_went_back: counts && data.sign_count <= passkey.sign_count,
        })
    }

    fn check_client_data(
        &self,
        json: &[u8],
        ceremony: Ceremony,
        challenge: &[u8],
    ) -> Result<(), Refusal> {
        let client_data = ClientData::parse(json)?;
        if client_data.ceremony != ceremony.name() {
            return Err(Refusal::Ceremony);
        }
        if client_data.challenge()? != challenge {
            return Err(Refusal::Challenge);
        }
        if !self.origins.contains(&client_data.origin) {
            return Err(Refusal::Origin);
        }
        if client_data.is_cross_origin() {
            return Err(Refusal::CrossOrigin);
        }
        Ok(())
    }

    fn check_rp_id(&self, data: &AuthenticatorData<'_>) -> Result<(), Refusal> {
        if data.rp_id_hash != digest(&SHA256, self.id.as_bytes()).as_ref() {
            return Err(Refusal::RpId);
        }
        Ok(())
    }
}

/// The authenticator data in an attestation object (6.5.4).
fn authenticator_data_of(object: &[u8]) -> Result<&[u8], Refusal> {
    let mut reader = Reader::new(object);
    let item = reader.item()?;
    if !reader.rest().is_empty() {
        return Err(Refusal::TrailingBytes);
    }
    let (Some(Item::Text(format)), Some(statement), Some(Item::Bytes(data))) = (
        item.get(&Item::Text("fmt")),
        item.get(&Item::Text("attStmt")),
        item.get(&Item::Text("authData")),
    ) else {
        return Err(Refusal::AttestationObject);
    };
    if *format == "none" && *statement != Item::Map(Vec::new()) {
        return Err(Refusal::AttestationStatement);
    }
    Ok(data)
}
