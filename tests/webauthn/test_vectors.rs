//! The test vectors of Web Authentication Level 3 (<https://www.w3.org/TR/webauthn-3/#sctn-test-vectors>). Their
//! authenticators are random in what they state: some did not verify the user, and are refused for that alone.

use cloakroom::crypto::webauthn::{
    AuthenticationResponse, PublicKey, Refusal, RegistrationResponse, RelyingParty, StoredPasskey,
};
use serde::Deserialize;
use serde_json::{from_value, json};

use super::{decode, fixture};

#[derive(Deserialize)]
struct Vector {
    name: String,
    registration: Registration,
    authentication: Authentication,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registration {
    challenge: String,
    credential_id: String,
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    attestation_object: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authentication {
    challenge: String,
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    authenticator_data: String,
    signature: String,
}

const BACKUP_ELIGIBLE: u8 = 1 << 3;

type Verdict = Result<(), Refusal>;

/// Each vector, with what is expected of its registration and its assertion.
const EXPECTED: &[(&str, Verdict, Verdict)] = &[
    ("none-es256", UNVERIFIED, UNVERIFIED),
    ("packed-self-es256", Ok(()), UNVERIFIED),
    ("none-es256-crossOrigin", FRAMED, FRAMED),
    ("none-es256-topOrigin", FRAMED, FRAMED),
    ("none-es256-long-credential-id", UNVERIFIED, Ok(())),
    ("packed-es256", Ok(()), Ok(())),
    ("packed-es384", ALGORITHM, ALGORITHM),
    ("packed-es512", ALGORITHM, ALGORITHM),
    ("packed-rs256", Ok(()), UNVERIFIED),
    ("packed-eddsa", UNVERIFIED, UNVERIFIED),
    ("packed-ed448", ALGORITHM, ALGORITHM),
    ("tpm-es256", Ok(()), Ok(())),
    ("android-key-es256", Ok(()), UNVERIFIED),
    ("apple-es256", UNVERIFIED, UNVERIFIED),
    ("fido-u2f-es256", UNVERIFIED, UNVERIFIED),
];

/// The last rule: every other one holds, and the signature is valid.
const UNVERIFIED: Verdict = Err(Refusal::UserVerification);
const FRAMED: Verdict = Err(Refusal::CrossOrigin);
const ALGORITHM: Verdict = Err(Refusal::Algorithm);

#[test]
fn test_vectors_of_the_standard_verify() {
    let vectors: Vec<Vector> = fixture("w3c.json");
    let names: Vec<&str> = vectors.iter().map(|vector| vector.name.as_str()).collect();
    assert_eq!(
        names,
        EXPECTED.iter().map(|(name, ..)| *name).collect::<Vec<_>>()
    );
    for (vector, (name, registration, assertion)) in vectors.iter().zip(EXPECTED) {
        assert_eq!(vector.register(), *registration, "{name}");
        assert_eq!(vector.authenticate(), *assertion, "{name}");
    }
}

#[test]
fn a_changed_signature_of_a_test_vector_is_refused() {
    let mut changed = 0;
    for mut vector in fixture::<Vec<Vector>>("w3c.json") {
        let expected = vector.authenticate();
        let last = vector.authentication.signature.pop();
        let other = if last == Some('A') { 'Q' } else { 'A' };
        vector.authentication.signature.push(other);
        if matches!(expected, Ok(()) | UNVERIFIED) {
            let refusal = vector.authenticate().unwrap_err();
            let expected = [Refusal::Signature, Refusal::Base64Url];
            assert!(expected.contains(&refusal), "{} {refusal:?}", vector.name);
            changed += 1;
        }
    }
    assert_eq!(changed, 10);
}

impl Vector {
    fn register(&self) -> Verdict {
        let part = &self.registration;
        let response: RegistrationResponse = from_value(json!({
            "id": part.credential_id,
            "rawId": part.credential_id,
            "type": "public-key",
            "response": {
                "clientDataJSON": part.client_data_json,
                "attestationObject": part.attestation_object,
                "transports": [],
            },
            "clientExtensionResults": {},
        }))
        .unwrap();
        let passkey = relying_party().verify_registration(&decode(&part.challenge), &response)?;
        assert_eq!(passkey.credential_id, decode(&part.credential_id));
        assert_eq!(passkey.public_key, self.public_key()?);
        assert_eq!(passkey.backup_eligible, self.backup_eligible());
        Ok(())
    }

    fn authenticate(&self) -> Verdict {
        let part = &self.authentication;
        let response: AuthenticationResponse = from_value(json!({
            "id": self.registration.credential_id,
            "rawId": self.registration.credential_id,
            "type": "public-key",
            "response": {
                "clientDataJSON": part.client_data_json,
                "authenticatorData": part.authenticator_data,
                "signature": part.signature,
            },
            "clientExtensionResults": {},
        }))
        .unwrap();
        let passkey = StoredPasskey {
            public_key: self.public_key()?,
            sign_count: 0,
            backup_eligible: self.backup_eligible(),
        };
        let challenge = decode(&part.challenge);
        assert_eq!(response.challenge()?, challenge);
        let assertion = relying_party().verify_assertion(&challenge, &passkey, &response)?;
        assert!(!assertion.counter_went_back && assertion.sign_count == 0);
        Ok(())
    }

    /// The key is the last part of each attestation object, behind the id.
    fn public_key(&self) -> Result<PublicKey, Refusal> {
        PublicKey::from_cose(&self.after(&decode(&self.registration.credential_id)))
    }

    fn backup_eligible(&self) -> bool {
        let authenticator_data = decode(&self.authentication.authenticator_data);
        let flags = self.after(&authenticator_data[..32])[0];
        flags & BACKUP_ELIGIBLE != 0
    }

    /// What follows these bytes in the attestation object.
    fn after(&self, bytes: &[u8]) -> Vec<u8> {
        let object = decode(&self.registration.attestation_object);
        let mut windows = object.windows(bytes.len());
        let at = windows.position(|window| window == bytes).unwrap();
        object[at + bytes.len()..].to_vec()
    }
}

fn relying_party() -> RelyingParty {
    RelyingParty::new("example.org", vec!["https://example.org".to_owned()])
}
