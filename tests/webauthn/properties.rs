//! What holds for every response: no panic, and no other bytes than those that were signed.

use cloakroom::crypto::webauthn::{
    AuthenticationResponse, PublicKey, Refusal, RegistrationResponse, RelyingParty, StoredPasskey,
};
use proptest::prelude::*;
use serde_json::{Value, from_value};

use super::{decode, encode, fixture};

/// The members of `responses.json`, to be changed.
fn cases() -> (RelyingParty, Vec<Value>) {
    let file: Value = fixture("responses.json");
    let party = &file["relyingParty"];
    let origins = from_value(party["origins"].clone()).unwrap();
    let relying_party = RelyingParty::new(party["id"].as_str().unwrap(), origins);
    let genuine = file["cases"].as_array().unwrap().iter();
    let genuine = genuine.filter(|case| case["expected"].is_object());
    (relying_party, genuine.cloned().collect())
}

fn is_assertion(case: &Value) -> bool {
    case["ceremony"] == "authentication"
}

fn verify(relying_party: &RelyingParty, case: &Value) -> Result<(), Refusal> {
    let challenge = decode(case["challenge"].as_str().unwrap());
    let response = case["response"].clone();
    if !is_assertion(case) {
        let response: RegistrationResponse = from_value(response).unwrap();
        let passkey = relying_party.verify_registration(&challenge, &response)?;
        assert!((1..=1023).contains(&passkey.credential_id.len()));
        assert!(passkey.backup_eligible || !passkey.backed_up);
        return Ok(());
    }
    let response: AuthenticationResponse = from_value(response).unwrap();
    let stored = &case["passkey"];
    let passkey = StoredPasskey {
        public_key: PublicKey::from_cose(&decode(stored["publicKey"].as_str().unwrap()))?,
        sign_count: from_value(stored["signCount"].clone()).unwrap(),
        backup_eligible: stored["backupEligible"].as_bool().unwrap(),
    };
    relying_party.verify_assertion(&challenge, &passkey, &response)?;
    Ok(())
}

/// The bytes of a part of the response.
fn part<'c>(case: &'c mut Value, name: &str) -> &'c mut Value {
    &mut case["response"]["response"][name]
}

/// Every prefix of every part: nothing verifies that is cut off.
#[test]
fn responses_that_are_cut_off_are_refused() {
    let (relying_party, cases) = cases();
    for case in &cases {
        let parts: &[&str] = match is_assertion(case) {
            true => &["clientDataJSON", "authenticatorData", "signature"],
            false => &["clientDataJSON", "attestationObject"],
        };
        for name in parts {
            let mut changed = case.clone();
            let bytes = decode(part(&mut changed, name).as_str().unwrap());
            for length in 0..bytes.len() {
                *part(&mut changed, name) = encode(&bytes[..length]).into();
                let verdict = verify(&relying_party, &changed);
                assert!(verdict.is_err(), "{} {name} {length}", case["name"]);
            }
        }
    }
}

/// Every bit of what an assertion's signature covers, and of the signature.
#[test]
fn assertions_with_a_changed_bit_are_refused() {
    let (relying_party, cases) = cases();
    for case in cases.iter().filter(|case| is_assertion(case)) {
        for name in ["clientDataJSON", "authenticatorData", "signature"] {
            let mut changed = case.clone();
            let bytes = decode(part(&mut changed, name).as_str().unwrap());
            for bit in 0..bytes.len() * 8 {
                let mut bytes = bytes.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                *part(&mut changed, name) = encode(&bytes).into();
                let verdict = verify(&relying_party, &changed);
                assert!(verdict.is_err(), "{} {name} {bit}", case["name"]);
            }
        }
    }
}

#[test]
fn a_key_with_bytes_after_its_end_is_refused() {
    let (relying_party, cases) = cases();
    for case in cases.iter().filter(|case| !is_assertion(case)) {
        let challenge = decode(case["challenge"].as_str().unwrap());
        let response = from_value(case["response"].clone()).unwrap();
        let passkey = relying_party.verify_registration(&challenge, &response);
        let longer = [passkey.unwrap().public_key.as_cose(), b"\xa0"].concat();
        let read = PublicKey::from_cose(&longer);
        assert_eq!(read, Err(Refusal::TrailingBytes), "{}", case["name"]);
    }
}

proptest! {
    #[test]
    fn changed_registrations_do_not_panic(
        number: usize,
        name in prop_oneof![Just("attestationObject"), Just("clientDataJSON")],
        edits in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        tail in proptest::collection::vec(any::<u8>(), 0..4),
    ) {
        let (relying_party, cases) = cases();
        let registrations: Vec<&Value> = cases.iter().filter(|case| !is_assertion(case)).collect();
        let mut changed = registrations[number % registrations.len()].clone();
        let mut bytes = decode(part(&mut changed, name).as_str().unwrap());
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.extend(&tail);
        *part(&mut changed, name) = encode(&bytes).into();
        let verdict = verify(&relying_party, &changed);
        prop_assert!(tail.is_empty() || verdict.is_err());
    }

    #[test]
    fn bytes_that_are_no_key_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(key) = PublicKey::from_cose(&bytes) {
            prop_assert_eq!(key.as_cose(), bytes);
        }
    }
}
