//! What browsers return, in the JSON forms of `PublicKeyCredential.toJSON()` (5.1, `RegistrationResponseJSON` and
//! `AuthenticationResponseJSON`). Members that verification does not need are ignored.

use serde::Deserialize;
use utoipa::ToSchema;

use super::base64url::decode;
use super::client_data::ClientData;
use super::refusal::Refusal;

/// The longest that each part may be, in bytes: far above what authenticators make.
const MAX_CREDENTIAL_ID: usize = 1023;
const MAX_CLIENT_DATA: usize = 8 * 1024;
const MAX_ATTESTATION_OBJECT: usize = 16 * 1024;
const MAX_AUTHENTICATOR_DATA: usize = 2 * 1024;
const MAX_SIGNATURE: usize = 1024;
const MAX_USER_HANDLE: usize = 64;
/// The most transports that are kept, and the longest name of one.
const MAX_TRANSPORTS: usize = 10;
const MAX_TRANSPORT: usize = 32;

/// The reply to `navigator.credentials.create`, as `PublicKeyCredential.toJSON()` returns it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationResponse {
    /// The credential's id in base64url, as all bytes here.
    id: String,
    /// The same.
    raw_id: String,
    /// `public-key`.
    r#type: String,
    #[schema(inline)]
    response: Attestation,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
struct Attestation {
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    #[serde(rename = "attestationObject")]
    attestation_object: String,
    /// How the browser reaches the authenticator: `internal`, `hybrid`, `usb`, …
    #[serde(default)]
    transports: Vec<String>,
}

/// The reply to `navigator.credentials.get`, as `PublicKeyCredential.toJSON()` returns it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticationResponse {
    /// The credential's id in base64url, as all bytes here.
    id: String,
    /// The same.
    raw_id: String,
    /// `public-key`.
    r#type: String,
    #[schema(inline)]
    response: Signed,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Signed {
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    authenticator_data: String,
    signature: String,
    /// The handle of the user that the passkey was made for.
    #[schema(nullable = false)]
    user_handle: Option<String>,
}

impl RegistrationResponse {
    /// The challenge that the response names, before anything is verified.
    ///
    /// # Errors
    /// The client data cannot be read.
    pub fn challenge(&self) -> Result<Vec<u8>, Refusal> {
        ClientData::parse(&self.client_data_json()?)?.challenge()
    }

    /// The id of the new credential.
    ///
    /// # Errors
    /// It is not one id of at most 1,023 bytes.
    pub fn credential_id(&self) -> Result<Vec<u8>, Refusal> {
        credential_id(&self.r#type, &self.id, &self.raw_id)
    }

    pub(super) fn client_data_json(&self) -> Result<Vec<u8>, Refusal> {
        decode(&self.response.client_data_json, MAX_CLIENT_DATA)
    }

    pub(super) fn attestation_object(&self) -> Result<Vec<u8>, Refusal> {
        decode(&self.response.attestation_object, MAX_ATTESTATION_OBJECT)
    }

    /// Unknown ones too, as the standard asks, if they look like one.
    pub(super) fn transports(&self) -> Vec<String> {
        let is_name = |name: &&String| {
            let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            (1..=MAX_TRANSPORT).contains(&name.len()) && name.bytes().all(is_letter)
        };
        let names = self.response.transports.iter().filter(is_name);
        let mut transports: Vec<String> = names.take(MAX_TRANSPORTS).cloned().collect();
        transports.sort();
        transports.dedup();
        transports
    }
}

impl AuthenticationResponse {
    /// The challenge that the response names, before anything is verified.
    ///
    /// # Errors
    /// The client data cannot be read.
    pub fn challenge(&self) -> Result<Vec<u8>, Refusal> {
        ClientData::parse(&self.client_data_json()?)?.challenge()
    }

    /// The id of the credential that signed, by its own account.
    ///
    /// # Errors
    /// It is not one id of at most 1,023 bytes.
    pub fn credential_id(&self) -> Result<Vec<u8>, Refusal> {
        credential_id(&self.r#type, &self.id, &self.raw_id)
    }

    /// The handle of the user, if the authenticator stores it: it does for a discoverable credential. It is not signed.
    ///
    /// # Errors
    /// It is empty, or longer than 64 bytes.
    pub fn user_handle(&self) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(text) = &self.response.user_handle else {
            return Ok(None);
        };
        let handle = decode(text, MAX_USER_HANDLE).map_err(|refusal| match refusal {
            Refusal::TooLong => Refusal::UserHandle,
            other => other,
        })?;
        if handle.is_empty() {
            return Err(Refusal::UserHandle);
        }
        Ok(Some(handle))
    }

    pub(super) fn client_data_json(&self) -> Result<Vec<u8>, Refusal> {
        decode(&self.response.client_data_json, MAX_CLIENT_DATA)
    }

    pub(super) fn authenticator_data(&self) -> Result<Vec<u8>, Refusal> {
        decode(&self.response.authenticator_data, MAX_AUTHENTICATOR_DATA)
    }

    pub(super) fn signature(&self) -> Result<Vec<u8>, Refusal> {
        decode(&self.response.signature, MAX_SIGNATURE)
    }
}

fn credential_id(r#type: &str, id: &str, raw_id: &str) -> Result<Vec<u8>, Refusal> {
    if r#type != "public-key" {
        return Err(Refusal::CredentialType);
    }
    let decoded = decode(raw_id, MAX_CREDENTIAL_ID)?;
    if id != raw_id || decoded.is_empty() {
        return Err(Refusal::CredentialId);
    }
    Ok(decoded)
}
