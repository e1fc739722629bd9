//! Any response of a passkey: an assertion verifies only as it was signed, and a registration has a key that can be read again.

#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cloakroom::crypto::webauthn::{
    AuthenticationResponse, PublicKey, RegistrationResponse, RelyingParty, StoredPasskey,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, from_str, from_value};

const RESPONSES: &str = include_str!("../../tests/fixtures/webauthn/responses.json");

static CASES: LazyLock<(RelyingParty, Vec<Value>)> = LazyLock::new(|| {
    let file: Value = from_str(RESPONSES).unwrap();
    let party = &file["relyingParty"];
    let origins = from_value(party["origins"].clone()).unwrap();
    let relying_party = RelyingParty::new(party["id"].as_str().unwrap(), origins);
    (relying_party, from_value(file["cases"].clone()).unwrap())
});

/// The parts that hold bytes.
const PARTS: [&str; 5] = [
    "clientDataJSON",
    "attestationObject",
    "authenticatorData",
    "signature",
    "userHandle",
];

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    case: u16,
    changes: Vec<(u8, Change<'a>)>,
}

/// What happens to a part.
#[derive(Arbitrary, Debug)]
enum Change<'a> {
    Edit(usize, u8),
    Cut(usize),
    Append(&'a [u8]),
    Replace(&'a [u8]),
    /// Not base64url, perhaps.
    Text(&'a str),
}

fuzz_target!(|input: Input| {
    let (relying_party, cases) = &*CASES;
    let case = &cases[usize::from(input.case) % cases.len()];
    let mut changed = case["response"].clone();
    for (number, change) in &input.changes {
        let part = &mut changed["response"][PARTS[usize::from(*number) % PARTS.len()]];
        if let Some(text) = part.as_str() {
            *part = apply(change, text).into();
        }
    }
    let challenge = bytes(&case["challenge"]).unwrap();
    let is_changed = changed != case["response"];
    let is_genuine = case["expected"].is_object();
    if case["ceremony"] == "registration" {
        let response: RegistrationResponse = from_value(changed).unwrap();
        let verified = relying_party.verify_registration(&challenge, &response);
        assert!(is_changed || is_genuine == verified.is_ok());
        if let Ok(passkey) = verified {
            let stored = PublicKey::from_cose(passkey.public_key.as_cose());
            assert_eq!(stored, Ok(passkey.public_key));
            assert_eq!(response.challenge(), Ok(challenge));
            assert_eq!(response.credential_id(), Ok(passkey.credential_id));
            assert!(passkey.backup_eligible || !passkey.backed_up);
        }
        return;
    }
    let stored = &case["passkey"];
    let Ok(public_key) = PublicKey::from_cose(&bytes(&stored["publicKey"]).unwrap()) else {
        return;
    };
    let passkey = StoredPasskey {
        public_key,
        sign_count: from_value(stored["signCount"].clone()).unwrap(),
        backup_eligible: stored["backupEligible"].as_bool().unwrap(),
    };
    let differs = |name: &&str| changed["response"][name] != case["response"]["response"][name];
    let signed_part_changed = PARTS[..4].iter().any(differs);
    let handle_changed = PARTS[4..].iter().any(differs);
    let response: AuthenticationResponse = from_value(changed).unwrap();
    let verified = relying_party.verify_assertion(&challenge, &passkey, &response);
    assert!(is_changed || is_genuine == verified.is_ok());
    // A change writes a part in its one base64url form, which can mend these.
    if case["expected"] == "base64url" {
        return;
    }
    // The handle is not signed: a change can mend a forged one.
    assert!(verified.is_err() || !signed_part_changed && (is_genuine || handle_changed));
});

fn bytes(text: &Value) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text.as_str()?).ok()
}

fn apply(change: &Change<'_>, text: &str) -> String {
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    match change {
        Change::Edit(at, byte) if !bytes.is_empty() => {
            let at = at % bytes.len();
            bytes[at] = *byte;
        }
        Change::Edit(_, byte) => bytes.push(*byte),
        Change::Cut(length) => bytes.truncate(length % (bytes.len() + 1)),
        Change::Append(tail) => bytes.extend(*tail),
        Change::Replace(other) => bytes = other.to_vec(),
        Change::Text(text) => return (*text).to_owned(),
    }
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
