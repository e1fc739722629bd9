// An Express service that verifies Cloakroom's access tokens by itself: `npm ci && node server.mjs`.
//
// It needs the issuer's JWKS and nothing else, and asks nobody who calls. So a token is good here until it expires,
// 15 minutes at most, even when its session has ended. Who must know at once asks GET /v1/verify instead.
import express from 'express';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const issuer = process.env.ISSUER ?? 'http://localhost:3000';
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), { cacheMaxAge: 300_000 });

// Lets in who has an access token with this scope.
const requires = (scope) => async (request, response, next) => {
  const token = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
  if (!token) return refuse(response, 401);
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: issuer, // or what tokens.audience says
      typ: 'at+jwt', // no other kind of JWT, whoever signed it
      algorithms: ['EdDSA'], // never what the token says
      requiredClaims: ['sub', 'exp', 'nbf', 'scope'],
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
