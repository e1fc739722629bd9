"""Verifies access tokens by PyJWT from the JWKS alone: `pyjwt.py ISSUER`, a token a line in, `yes` or `no: why` out."""

import sys

import jwt

issuer = sys.argv[1]
keys = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json")

for token in map(str.strip, sys.stdin):
    try:
        verified = jwt.decode_complete(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=["EdDSA"],
            issuer=issuer,
            audience=issuer,
            options={"require": ["iss", "aud", "sub", "sid", "scope", "iat", "nbf", "exp", "jti"]},
        )
        print("yes" if verified["header"]["typ"] == "at+jwt" else "no: typ")
    except jwt.PyJWTError as fault:
        print(f"no: {fault!r}")
