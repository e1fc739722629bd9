"""Verifies responses of passkeys by py_webauthn: a file of `tests/fixtures/webauthn` in, `yes` or `no: why` a case out."""

import json
import sys

from webauthn import base64url_to_bytes, verify_authentication_response, verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier

ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]


def verify(relying_party, case):
    if "registration" in case:
        passkey = register(relying_party, case["registration"])
        public_key, sign_count = passkey.credential_public_key, passkey.sign_count
        authenticate(relying_party, case["authentication"], public_key, sign_count)
    elif case["ceremony"] == "registration":
        register(relying_party, case)
    else:
        passkey = case["passkey"]
        authenticate(relying_party, case, base64url_to_bytes(passkey["publicKey"]), passkey["signCount"])


def register(relying_party, reply):
    return verify_registration_response(**expected(relying_party, reply), supported_pub_key_algs=ALGORITHMS)


def authenticate(relying_party, reply, public_key, sign_count):
    return verify_authentication_response(
        **expected(relying_party, reply), credential_public_key=public_key, credential_current_sign_count=sign_count
    )


def expected(relying_party, reply):
    return {
        "credential": reply["response"],
        "expected_challenge": base64url_to_bytes(reply["challenge"]),
        "expected_rp_id": relying_party["id"],
        "expected_origin": relying_party["origins"],
        "require_user_verification": True,
    }


with open(sys.argv[1], encoding="utf-8") as file:
    fixture = json.load(file)
for case in fixture["cases"]:
    try:
        verify(fixture["relyingParty"], case)
        print("yes")
    # It raises what its parsers raise, too.
    except Exception as fault:
        print("no:", repr(fault).replace("\n", " "))
