// WebAuthn's JSON forms: by the browser, and where it lacks them or a password manager has replaced its objects, here.

import type { Input, Output } from "../operations.js";

export type CreationOptions = Output<"startPasskey">;
export type RequestOptions = Output<"startPasskeySignIn">;
/** What an authenticator returns for a new passkey, and for one that is used. */
export type Registration = Input<"addPasskey">["credential"];
export type Assertion = Input<"signInWithPasskey">["credential"];

const BYTES = [
  "clientDataJSON",
  "attestationObject",
  "authenticatorData",
  "signature",
  "userHandle",
] as const;

/** Not every browser has them. */
type Parsers = Partial<
  Pick<typeof PublicKeyCredential, "parseCreationOptionsFromJSON" | "parseRequestOptionsFromJSON">
>;

export function creationOptions(json: CreationOptions): PublicKeyCredentialCreationOptions {
  if ((PublicKeyCredential as Parsers).parseCreationOptionsFromJSON) {
    return PublicKeyCredential.parseCreationOptionsFromJSON(
      json as unknown as PublicKeyCredentialCreationOptionsJSON,
    );
  }
  return {
    ...json,
    challenge: fromBase64Url(json.challenge),
    user: { ...json.user, id: fromBase64Url(json.user.id) },
    excludeCredentials: json.excludeCredentials.map((each) => ({ ...each, id: fromBase64Url(each.id) })),
  } as unknown as PublicKeyCredentialCreationOptions;
}

export function requestOptions(json: RequestOptions): PublicKeyCredentialRequestOptions {
  if ((PublicKeyCredential as Parsers).parseRequestOptionsFromJSON) {
    return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  }
  return {
    ...json,
    challenge: fromBase64Url(json.challenge),
  } as unknown as PublicKeyCredentialRequestOptions;
}

export function replyJson(credential: PublicKeyCredential): unknown {
  try {
    return credential.toJSON();
  } catch {
    const { id, rawId, type, response } = credential;
    return { id, rawId: toBase64Url(rawId), type, response: responseJson(response) };
  }
}

function responseJson(given: AuthenticatorResponse) {
  const response = given as Partial<AuthenticatorAttestationResponse & AuthenticatorAssertionResponse>;
  const json: Record<string, unknown> = {};
  for (const name of BYTES) {
    const bytes = response[name];
    if (bytes) {
      json[name] = toBase64Url(bytes);
    }
  }
  if (response.attestationObject) {
    json.transports = response.getTransports?.() ?? [];
  }
  return json;
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function toBase64Url(buffer: ArrayBuffer): string {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}
