// An authenticator in software (ES256, no attestation), in place of a browser without the JSON forms.

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { vi } from "vitest";

const USED = 0x05;
const CREATED = 0x45;

interface Passkey {
  id: Buffer;
  userHandle: Buffer;
  key: KeyObject;
}

export class SoftwareAuthenticator {
  private readonly passkeys: Passkey[] = [];

  /** `origin`: of the page on which it is used. */
  constructor(private readonly origin: string) {}

  /** Makes it the one that the page reaches, until `vi.unstubAllGlobals`. */
  install(): void {
    vi.stubGlobal("PublicKeyCredential", class {});
    vi.stubGlobal("navigator", {
      credentials: {
        create: async (given: { publicKey: PublicKeyCredentialCreationOptions }) =>
          this.create(given.publicKey),
        get: async (given: { publicKey: PublicKeyCredentialRequestOptions }) => this.get(given.publicKey),
      },
    });
  }

  private create({ challenge, rp, user, excludeCredentials = [] }: PublicKeyCredentialCreationOptions) {
    const excluded = excludeCredentials.map(({ id }) => toBuffer(id));
    if (this.passkeys.some(({ id }) => excluded.some((other) => other.equals(id)))) {
      throw new DOMException("", "InvalidStateError");
    }
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const passkey = { id: randomBytes(16), userHandle: toBuffer(user.id), key: privateKey };
    this.passkeys.push(passkey);
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    const data = Buffer.concat([
      authenticatorData(rp.id ?? "", CREATED),
      Buffer.alloc(16),
      Buffer.from([0, passkey.id.length]),
      passkey.id,
      // The COSE key {1: 2, 3: -7, -1: 1, -2: x, -3: y} in CBOR.
      Buffer.from("a5010203262001215820", "hex"),
      Buffer.from(x, "base64url"),
      Buffer.from("225820", "hex"),
      Buffer.from(y, "base64url"),
    ]);
    // {"fmt": "none", "attStmt": {}, "authData": …} in CBOR.
    const head = Buffer.from("a363666d74646e6f6e656761747453746d74a068617574684461746158", "hex");
    return reply(passkey, {
      clientDataJSON: this.clientData("webauthn.create", challenge),
      attestationObject: Buffer.concat([head, Buffer.from([data.length]), data]),
      getTransports: () => ["internal"],
    });
  }

  private get({ challenge, rpId = "" }: PublicKeyCredentialRequestOptions) {
    const passkey = this.passkeys.at(-1);
    if (!passkey) {
      throw new DOMException("", "NotAllowedError");
    }
    const clientDataJSON = this.clientData("webauthn.get", challenge);
    const data = authenticatorData(rpId, USED);
    return reply(passkey, {
      clientDataJSON,
      authenticatorData: data,
      signature: sign("sha256", Buffer.concat([data, sha256(clientDataJSON)]), passkey.key),
      userHandle: passkey.userHandle,
    });
  }

  private clientData(type: string, challenge: BufferSource): Buffer {
    const { origin } = this;
    const text = toBuffer(challenge).toString("base64url");
    return Buffer.from(JSON.stringify({ type, challenge: text, origin, crossOrigin: false }));
  }
}

function authenticatorData(rpId: string, flags: number): Buffer {
  return Buffer.concat([sha256(Buffer.from(rpId)), Buffer.from([flags, 0, 0, 0, 0])]);
}

function reply({ id }: Passkey, response: object) {
  return { id: id.toString("base64url"), rawId: id, type: "public-key", response };
}

const sha256 = (data: Buffer) => createHash("sha256").update(data).digest();

function toBuffer(source: BufferSource): Buffer {
  return source instanceof ArrayBuffer
    ? Buffer.from(source)
    : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
}
