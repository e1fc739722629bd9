"""A FastAPI service that verifies Cloakroom's access tokens locally: `uvicorn app:app --port 8080`.

It needs only the issuer's JWKS. A token stays valid here until it expires, for 15 minutes at most, even if its session
has ended. A service that must refuse revoked tokens at once calls GET /v1/verify instead.
"""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER = os.environ.get("ISSUER", "http://localhost:3000")
KEYS = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", lifespan=300, timeout=5)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


def refusal(status: int, error: str = "") -> HTTPException:
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return HTTPException(status, headers={"WWW-Authenticate": challenge})


def requires(scope: str):
    """Requires an access token with this scope; returns its claims."""

    def claims(bearer: Bearer) -> dict:
        if bearer is None:
            raise refusal(401)
        try:
            verified = jwt.decode_complete(
                bearer.credentials,
                KEYS.get_signing_key_from_jwt(bearer.credentials),
                algorithms=["EdDSA"],  # fixed: never taken from the token
                issuer=ISSUER,
                audience=ISSUER,  # or the service's own, out of tokens.audiences
                leeway=60,  # seconds by which the clocks may differ
                options={"require": ["iss", "aud", "sub", "exp", "nbf", "scope"]},
            )
        except jwt.PyJWKClientConnectionError:
            raise HTTPException(503)
        except jwt.PyJWTError:
            raise refusal(401, "invalid_token")
        if verified["header"].get("typ") != "at+jwt":  # no other kind of JWT, even with a valid signature
            raise refusal(401, "invalid_token")
        if scope not in verified["payload"]["scope"].split(" "):
            raise refusal(403, "insufficient_scope")
        return verified["payload"]

    return claims


app = FastAPI()


@app.get("/orders")
def orders(user: Annotated[dict, Depends(requires("orders:read"))]):
    return {"user": user["sub"], "orders": []}
