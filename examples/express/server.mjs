// An Express service that verifies Cloakroom's access tokens locally: `npm ci && node server.mjs`.
//
// It needs only the issuer's JWKS. A token stays valid here until it expires, for 15 minutes at most, even if its
// session has ended. A service that must refuse revoked tokens at once calls GET /v1/verify instead.
import express from 'express';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const issuer = process.env.ISSUER ?? 'http://localhost:3000';
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), { cacheMaxAge: 300_000 });

// Requires an access token with this scope.
const requires = (scope) => async (request, response, next) => {
  const token = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
  if (!token) return refuse(response, 401);
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: issuer, // or the service's own, out of tokens.audiences
      typ: 'at+jwt', // no other kind of JWT, even with a valid signature
      algorithms: ['EdDSA'], // fixed: never taken from the token
      requiredClaims: ['sub', 'exp', 'nbf', 'scope'],
      clockTolerance: 60, // seconds by which the clocks may differ
    });
    if (!payload.scope.split(' ').includes(scope)) return refuse(response, 403, 'insufficient_scope');
    request.user = payload;
  } catch (fault) {
    const noKeys = !(fault instanceof errors.JOSEError) || /JOSE_GENERIC|JWKS_(TIMEOUT|INVALID)/.test(fault.code);
    return noKeys ? response.status(503).end() : refuse(response, 401, 'invalid_token');
  }
  next();
};

const refuse = (response, status, error) =>
  response.status(status).set('WWW-Authenticate', `Bearer${error ? ` error="${error}"` : ''}`).end();

const app = express();

app.get('/orders', requires('orders:read'), (request, response) => {
  response.json({ user: request.user.sub, orders: [] });
});

const server = app.listen(process.env.PORT ?? 8080, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
