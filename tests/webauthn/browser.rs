//! What Chromium returned with a virtual authenticator: `tests/fixtures/webauthn/chromium.mjs` recorded it.

use cloakroom::crypto::webauthn::{
    ALGORITHMS, AuthenticationResponse, Refusal, RegistrationResponse, StoredPasskey,
};
use serde::Deserialize;

use super::{Party, decode, fixture};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording {
    relying_party: Party,
    cases: Vec<Recorded>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    name: String,
    synced: bool,
    user_handle: String,
    registration: Reply<RegistrationResponse>,
    authentication: Reply<AuthenticationResponse>,
}

#[derive(Deserialize)]
struct Reply<R> {
    challenge: String,
    response: R,
}

#[test]
fn passkeys_of_chromium_register_and_sign_in() {
    let recording: Recording = fixture("chromium.json");
    let relying_party = recording.relying_party.open();
    // Without and with attestation.
    assert_eq!(recording.cases.len(), 2 * ALGORITHMS.len());
    for case in recording.cases {
        let (name, created) = (case.name, case.registration);
        let challenge = decode(&created.challenge);
        let passkey = relying_party.verify_registration(&challenge, &created.response);
        let passkey = passkey.unwrap_or_else(|refusal| panic!("{name}: {}", refusal.name()));
        let synced = (passkey.backup_eligible, passkey.backed_up);
        assert_eq!(synced, (case.synced, case.synced), "{name}");
        assert_eq!(passkey.transports, ["internal"], "{name}");

        let stored = StoredPasskey {
            public_key: passkey.public_key,
            sign_count: passkey.sign_count,
            backup_eligible: passkey.backup_eligible,
        };
        let got = case.authentication;
        let (challenge, response) = (decode(&got.challenge), got.response);
        assert_eq!(response.challenge().as_ref(), Ok(&challenge));
        assert_eq!(response.credential_id(), Ok(passkey.credential_id));
        assert_eq!(response.user_handle(), Ok(Some(decode(&case.user_handle))));
        let assertion = relying_party.verify_assertion(&challenge, &stored, &response);
        let assertion = assertion.unwrap_or_else(|refusal| panic!("{name}: {}", refusal.name()));
        assert!(!assertion.counter_went_back, "{name}");
        assert_eq!(assertion.sign_count, passkey.sign_count + 1, "{name}");
        assert_eq!(assertion.backed_up, case.synced, "{name}");

        let created = relying_party.verify_registration(&challenge, &created.response);
        assert_eq!(created, Err(Refusal::Challenge), "{name}");
    }
}
