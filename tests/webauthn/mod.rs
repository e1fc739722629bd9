//! The relying party, on responses that were not made by it.

mod browser;
mod properties;
mod responses;
mod second_opinion;
mod test_vectors;

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cloakroom::crypto::webauthn::{AuthenticationResponse, RegistrationResponse, RelyingParty};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// `responses.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Responses {
    relying_party: Party,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Party {
    id: String,
    origins: Vec<String>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    challenge: String,
    #[serde(flatten)]
    ceremony: Ceremony,
    /// The name of a refusal, or what a genuine response states.
    expected: Value,
}

#[derive(Deserialize)]
#[serde(tag = "ceremony", rename_all = "lowercase")]
enum Ceremony {
    Registration {
        response: RegistrationResponse,
    },
    Authentication {
        response: AuthenticationResponse,
        passkey: Passkey,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Passkey {
    public_key: String,
    sign_count: u32,
    backup_eligible: bool,
}

impl Party {
    fn open(&self) -> RelyingParty {
        RelyingParty::new(&self.id, self.origins.clone())
    }
}

impl Case {
    fn is_genuine(&self) -> bool {
        self.expected.is_object()
    }
}

/// A file of `tests/fixtures/webauthn`.
fn path(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/webauthn");
    [folder, name].iter().collect()
}

fn fixture<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&fs::read(path(name)).unwrap()).unwrap()
}

fn decode(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
