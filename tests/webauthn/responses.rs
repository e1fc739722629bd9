//! Responses that `tests/fixtures/webauthn/responses.py` made: the genuine ones verify, and each forged one is refused for
//! its own reason.

use std::collections::BTreeSet;

use cloakroom::crypto::webauthn::{PublicKey, Refusal, RelyingParty, StoredPasskey};
use serde_json::{Value, json};

use super::{Case, Ceremony, Responses, decode, encode, fixture};

/// The name of the refusal, or what was verified.
fn verdict(relying_party: &RelyingParty, case: &Case) -> Result<Value, Refusal> {
    let challenge = decode(&case.challenge);
    match &case.ceremony {
        Ceremony::Registration { response } => {
            let passkey = relying_party.verify_registration(&challenge, response)?;
            assert_eq!(response.challenge().as_ref(), Ok(&challenge));
            let stored = passkey.public_key.as_cose();
            assert_eq!(
                PublicKey::from_cose(stored).as_ref(),
                Ok(&passkey.public_key)
            );
            Ok(json!({ "passkey": {
                "credentialId": encode(&passkey.credential_id),
                "publicKey": encode(stored),
                "signCount": passkey.sign_count,
                "backupEligible": passkey.backup_eligible,
                "backedUp": passkey.backed_up,
                "aaguid": encode(&passkey.aaguid),
                "transports": passkey.transports,
            }}))
        }
        Ceremony::Authentication { response, passkey } => {
            let passkey = StoredPasskey {
                public_key: PublicKey::from_cose(&decode(&passkey.public_key))?,
                sign_count: passkey.sign_count,
                backup_eligible: passkey.backup_eligible,
            };
            let assertion = relying_party.verify_assertion(&challenge, &passkey, response)?;
            assert_eq!(response.challenge().as_ref(), Ok(&challenge));
            Ok(json!({ "assertion": {
                "signCount": assertion.sign_count,
                "backedUp": assertion.backed_up,
                "counterWentBack": assertion.counter_went_back,
            }}))
        }
    }
}

#[test]
fn genuine_responses_verify() {
    let responses: Responses = fixture("responses.json");
    let relying_party = responses.relying_party.open();
    let genuine = responses.cases.iter().filter(|case| case.is_genuine());
    let mut algorithms = 0;
    for case in genuine {
        let verdict = verdict(&relying_party, case);
        assert_eq!(verdict.as_ref(), Ok(&case.expected), "{}", case.name);
        let mut names = ["ES256: ", "EdDSA: ", "RS256: "].iter();
        algorithms += usize::from(names.any(|name| case.name.starts_with(name)));
    }
    assert_eq!(algorithms, 3 * 4);
}

#[test]
fn each_forged_response_is_refused_for_its_own_reason() {
    let responses: Responses = fixture("responses.json");
    let relying_party = responses.relying_party.open();
    let mut wrong = Vec::new();
    let forged = responses.cases.iter().filter(|case| !case.is_genuine());
    for case in forged {
        let verdict = verdict(&relying_party, case).map_err(Refusal::name);
        if verdict.as_ref().err() != case.expected.as_str().as_ref() {
            wrong.push(format!("{}: {verdict:?}, not {}", case.name, case.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_reason_has_a_forged_response() {
    let responses: Responses = fixture("responses.json");
    let cases = responses.cases.iter();
    let expected: BTreeSet<&str> = cases.filter_map(|case| case.expected.as_str()).collect();
    let names: BTreeSet<&str> = Refusal::ALL.iter().map(|refusal| refusal.name()).collect();
    assert_eq!(expected, names);
    assert_eq!(names.len(), Refusal::ALL.len(), "a name occurs twice");
}

/// A passkey that a page of one relying party made is of no use on the pages of another.
#[test]
fn genuine_responses_are_refused_by_another_party() {
    let responses: Responses = fixture("responses.json");
    let genuine = || responses.cases.iter().filter(|case| case.is_genuine());
    let elsewhere = RelyingParty::new("example.com", responses.relying_party.origins.clone());
    let other_pages = RelyingParty::new("example.org", vec!["https://example.com".to_owned()]);
    assert!(genuine().all(|case| verdict(&elsewhere, case) == Err(Refusal::RpId)));
    assert!(genuine().all(|case| verdict(&other_pages, case) == Err(Refusal::Origin)));
}

#[test]
fn a_response_to_another_challenge_is_refused() {
    let mut responses: Responses = fixture("responses.json");
    let relying_party = responses.relying_party.open();
    for challenge in ["", "AA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        for case in &mut responses.cases {
            if case.is_genuine() {
                challenge.clone_into(&mut case.challenge);
                let verdict = verdict(&relying_party, case);
                assert_eq!(verdict, Err(Refusal::Challenge), "{}", case.name);
            }
        }
    }
}
