//! The options that a page passes to its browser for a passkey, in the JSON forms of Web Authentication Level 3 (5.1,
//! `PublicKeyCredentialCreationOptionsJSON` and `PublicKeyCredentialRequestOptionsJSON`), and passkeys in replies.
//! `parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` read them.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Context;
use crate::crypto::passkey_challenge::{Challenge, LIFETIME};
use crate::crypto::webauthn::{ALGORITHMS, RelyingParty};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{Passkey, PasskeyId, UserHandle};

const PUBLIC_KEY: &str = "public-key";
const REQUIRED: &str = "required";
const TIMEOUT: u64 = LIFETIME.as_secs() * 1000;

/// Options for `navigator.credentials.create`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions<'a> {
    #[schema(inline)]
    rp: RelyingPartyEntity<'a>,
    #[schema(inline)]
    user: UserEntity<'a>,
    /// In base64url, as all bytes here. It is valid for five minutes and one passkey.
    challenge: String,
    /// EdDSA, ES256 and RS256, by the numbers of COSE.
    #[schema(inline)]
    pub_key_cred_params: Vec<Algorithm>,
    /// Milliseconds.
    timeout: u64,
    /// The passkeys that the user has.
    #[schema(inline)]
    exclude_credentials: Vec<Descriptor>,
    #[schema(inline)]
    authenticator_selection: AuthenticatorSelection,
    attestation: &'static str,
}

#[derive(Serialize, ToSchema)]
struct RelyingPartyEntity<'a> {
    /// The domain that the passkey is for.
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserEntity<'a> {
    /// What authenticators know the user by: 32 random bytes.
    id: String,
    /// The email address.
    name: &'a str,
    display_name: &'a str,
}

#[derive(Serialize, ToSchema)]
struct Algorithm {
    r#type: &'static str,
    alg: i32,
}

#[derive(Serialize, ToSchema)]
struct Descriptor {
    r#type: &'static str,
    id: String,
    transports: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuthenticatorSelection {
    resident_key: &'static str,
    require_resident_key: bool,
    user_verification: &'static str,
}

/// Options for `navigator.credentials.get`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions<'a> {
    /// In base64url. It is valid for five minutes and one response.
    challenge: String,
    /// Milliseconds.
    timeout: u64,
    rp_id: &'a str,
    user_verification: &'static str,
}

/// Who a passkey is to be made for.
pub struct NewUser<'a> {
    /// What authenticators will know the user by.
    pub handle: UserHandle,
    /// The address.
    pub email_address: &'a str,
    /// The name, where it is known.
    pub name: Option<&'a str>,
    /// The passkeys that the user has.
    pub passkeys: &'a [Passkey],
}

impl<'a> CreationOptions<'a> {
    /// For a passkey of this user.
    pub fn new(context: &'a Context, challenge: &Challenge, user: &NewUser<'a>) -> Result<Self> {
        let settings = &context.settings;
        let exclude_credentials = user.passkeys.iter().map(|passkey| Descriptor {
            r#type: PUBLIC_KEY,
            id: base64url(&passkey.credential_id),
            transports: passkey
                .transports
                .split_ascii_whitespace()
                .map(str::to_owned)
                .collect(),
        });
        Ok(Self {
            rp: RelyingPartyEntity {
                id: relying_party(context)?.id(),
                name: match &*settings.passkeys.rp_name {
                    "" => &settings.mail.service_name,
                    configured => configured,
                },
            },
            user: UserEntity {
                id: base64url(user.handle.as_bytes()),
                name: user.email_address,
                display_name: user.name.unwrap_or(user.email_address),
            },
            challenge: base64url(&challenge.bytes),
            pub_key_cred_params: ALGORITHMS
                .map(|alg| Algorithm {
                    r#type: PUBLIC_KEY,
                    alg,
                })
                .into(),
            timeout: TIMEOUT,
            exclude_credentials: exclude_credentials.collect(),
            authenticator_selection: AuthenticatorSelection {
                resident_key: REQUIRED,
                require_resident_key: true,
                user_verification: REQUIRED,
            },
            attestation: "none",
        })
    }
}

impl<'a> RequestOptions<'a> {
    /// For a passkey of any user, which the authenticator finds by itself.
    pub fn new(context: &'a Context, challenge: &Challenge) -> Result<Self> {
        Ok(Self {
            challenge: base64url(&challenge.bytes),
            timeout: TIMEOUT,
            rp_id: relying_party(context)?.id(),
            user_verification: REQUIRED,
        })
    }
}

/// A passkey as its user sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Passkey)]
pub struct PasskeyView<'a> {
    #[schema(value_type = i64, minimum = 1)]
    id: PasskeyId,
    name: &'a str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_used_at: Option<Timestamp>,
    /// Whether it was synced when it was last used, so that the loss of one device does not lose it.
    backed_up: bool,
    /// What its authenticator calls it, in base64url.
    credential_id: String,
}

impl<'a> PasskeyView<'a> {
    /// Of this passkey.
    pub fn of(passkey: &'a Passkey) -> Self {
        Self {
            id: passkey.id,
            name: &passkey.name,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
            backed_up: passkey.backed_up,
            credential_id: base64url(&passkey.credential_id),
        }
    }
}

/// Who passkeys are for.
///
/// # Errors
/// [`Error::NotFound`] where there are none.
pub fn relying_party(context: &Context) -> Result<&RelyingParty> {
    context.relying_party.as_ref().ok_or(Error::NotFound)
}

/// Bytes as browsers write them.
pub fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
