//! Another relying party, py_webauthn, on the same responses: it verifies the genuine ones and refuses the forged ones, but
//! for those that are listed here. And the file of responses is what its script writes.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Responses, fixture, path};

const PYTHON: &str = "target/python/bin/python";

/// Genuine responses that it refuses: it knows the formats of attestation by name, and takes a counter that did not rise for
/// an error.
const REFUSED: &[&str] = &[
    "an attestation of a format that is not known",
    "a counter that went back",
    "a counter that stayed",
    "a counter that vanished",
];

/// Forged responses that it accepts, by the reason for which they are refused here.
const ACCEPTED: &[&str] = &[
    // credential_id
    "registration: no id",
    "assertion: no id",
    "registration: the id of another credential",
    // too_long
    "registration: an id that is too long",
    "assertion: an id that is too long",
    // base64url
    "registration: an attestation object with padding",
    "assertion: authenticator data with padding",
    "assertion: a user handle with padding",
    "registration: client data with padding",
    "registration: a challenge with padding",
    "assertion: client data with padding",
    "assertion: a challenge with padding",
    // user_handle
    "assertion: a user handle that is too long",
    "assertion: an empty user handle",
    // client_data
    "registration: client data behind a byte order mark",
    "registration: two challenges",
    "registration: two origins",
    "registration: crossOrigin as text",
    "assertion: client data behind a byte order mark",
    "assertion: two challenges",
    "assertion: two origins",
    "assertion: crossOrigin as text",
    // cross_origin
    "registration: a frame of another site",
    "registration: a frame below another site",
    "registration: a top origin alone",
    "assertion: a frame of another site",
    "assertion: a frame below another site",
    "assertion: a top origin alone",
    // trailing_bytes
    "attestation object: bytes behind it",
    "attestation object: twice",
    // attestation_object
    "attestation object: without attStmt",
    // attestation_statement
    "attestation object: a statement that is no map in the format none",
    // cbor_form
    "attestation object: a map without a length",
    // authenticator_data
    "authenticator data: extensions as a list",
    "assertion: extensions as an integer",
    // curve
    "authenticator data: a key: ES256 on P-384",
    "authenticator data: a key: ES256 on P-521",
    "authenticator data: a key: ES256 on secp256k1",
    "authenticator data: a key: ES256 on Ed25519",
    "authenticator data: a key: EdDSA on X25519",
    "authenticator data: a key: EdDSA on Ed448",
    "authenticator data: a key: EdDSA on P-256",
    // public_key
    "authenticator data: a key: a point that is compressed",
    "authenticator data: a key: x of 31 bytes",
    "authenticator data: a key: x of 33 bytes",
    "authenticator data: a key: y of 31 bytes",
    "authenticator data: a key: x as text",
    "authenticator data: a key: ES256 of the type OKP",
    "authenticator data: a key: EdDSA in 31 bytes",
    "authenticator data: a key: EdDSA in 33 bytes",
    "authenticator data: a key: a key id",
    "authenticator data: a key: allowed operations",
    "authenticator data: a key: the private key",
    "authenticator data: a key: RSA, a modulus of 1024 bits",
    "authenticator data: a key: RSA, a modulus of 2047 bits",
    "authenticator data: a key: RSA, a modulus of 8193 bits",
    "authenticator data: a key: RSA, an even modulus",
    "authenticator data: a key: RSA, a modulus with a leading zero",
    "authenticator data: a key: RSA, the exponent 1",
    "authenticator data: a key: RSA, an even exponent",
    "authenticator data: a key: RSA, an exponent of 34 bits",
    "authenticator data: a key: RSA, an exponent with a leading zero",
    // attested_credential
    "assertion: a credential",
    // backup_eligibility
    "assertion: can be backed up and could not",
    "assertion: cannot be backed up and could",
];

#[test]
#[ignore = "needs Python with py_webauthn: .ci/recipes"]
fn py_webauthn_agrees_about_responses() {
    let responses: Responses = fixture("responses.json");
    let output = python("tests/verifiers/py_webauthn.py", &path("responses.json"));
    let verdicts: Vec<&str> = output.lines().collect();
    assert_eq!(verdicts.len(), responses.cases.len());
    let mut differing = Vec::new();
    for (case, verdict) in responses.cases.iter().zip(verdicts) {
        let name = case.name.as_str();
        let expected = case.is_genuine() && !REFUSED.contains(&name) || ACCEPTED.contains(&name);
        if (verdict == "yes") != expected {
            differing.push(format!("{name}: {verdict}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
#[ignore = "needs Python with py_webauthn: .ci/recipes"]
fn py_webauthn_accepts_passkeys_of_chromium() {
    let output = python("tests/verifiers/py_webauthn.py", &path("chromium.json"));
    assert_eq!(output, "yes\n".repeat(6));
}

#[test]
#[ignore = "needs Python with fido2: .ci/recipes"]
fn the_responses_are_what_their_script_writes() {
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("responses.json");
    python("tests/fixtures/webauthn/responses.py", &written);
    let [written, kept] = [written, path("responses.json")].map(|file| fs::read(file).unwrap());
    assert!(
        written == kept,
        "{PYTHON} tests/fixtures/webauthn/responses.py writes another file"
    );
}

/// What a script prints.
fn python(script: &str, file: &Path) -> String {
    let mut command = Command::new(PYTHON);
    command.arg(script).arg(file);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
