"""A FastAPI service that verifies Cloakroom's access tokens by itself: `uvicorn app:app --port 8080`.

It needs the issuer's JWKS and nothing else, and asks nobody who calls. So a token is good here until it expires,
15 minutes at most, even when its session has ended. Who must know at once asks GET /v1/verify instead.
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
    """Lets in who has an access token with this scope; gives its claims."""

    def claims(bearer: Bearer) -> dict:
        if bearer is None:
            raise refusal(401)
        try:
            verified = jwt.decode_complete(
                bearer.credentials,
                KEYS.get_signing_key_from_jwt(bearer.credentials),
                algorithms=["EdDSA"],  # never what the token says
                issuer=ISSUER,
                audience=ISSUER,  # or what tokens.audience says
                options={"require": ["iss", "aud", "sub", "exp", "nbf", "scope"]},
            )
        except jwt.PyJWKClientConnectionError:
            raise HTTPException(503)
        except jwt.PyJWTError:
            raise refusal(401, "invalid_token")
        if verified["header"].get("typ") != "at+jwt":  # no other kind of JWT, whoever signed it
            raise refusal(401, "invalid_token")
        if scope not in verified["payload"]["scope"].split(" "):
            raise refusal(403, "insufficient_scope")
        return verified["payload"]

    return claims


app = FastAPI()


@app.get("/orders")
def orders(user: Annotated[dict, Depends(requires("orders:read"))]):
    return {"user": user["sub"], "orders": []}
