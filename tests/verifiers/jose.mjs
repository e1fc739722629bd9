// Verifies access tokens by jose from the JWKS alone: `jose.mjs ISSUER`, a token a line in, `yes` or `no: why` out.
import { createInterface } from 'node:readline';
// The one that the example has.
import { createRemoteJWKSet, jwtVerify } from '../../examples/express/node_modules/jose/dist/webapi/index.js';

const issuer = process.argv[2];
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
const requiredClaims = ['iss', 'aud', 'sub', 'sid', 'scope', 'iat', 'nbf', 'exp', 'jti'];

for await (const token of createInterface({ input: process.stdin })) {
  try {
    await jwtVerify(token, keys, { issuer, audience: issuer, typ: 'at+jwt', algorithms: ['EdDSA'], requiredClaims });
    console.log('yes');
  } catch (fault) {
    console.log(`no: ${fault}`);
  }
}
