// A fake of the browser's part of Web Authentication, and one set of options and replies.

import { expect, vi } from "vitest";
import type { Assertion, CreationOptions, Registration, RequestOptions } from "../../src/passkeys/index.js";

/** The bytes 255, 239, 190: both characters that tell base64url from base64. */
const challenge = "_---";

export const requestOptions: RequestOptions = {
  challenge,
  timeout: 300_000,
  rpId: "localhost",
  userVerification: "required",
};

export const creationOptions: CreationOptions = {
  rp: { id: "localhost", name: "Cloakroom" },
  user: { id: "BAUG", name: "ada@example.com", displayName: "ada@example.com" },
  challenge,
  pubKeyCredParams: [{ type: "public-key", alg: -7 }],
  timeout: 300_000,
  excludeCredentials: [{ type: "public-key", id: "AQID", transports: ["internal"] }],
  authenticatorSelection: {
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  },
  attestation: "none",
};

export const assertion: Assertion = {
  id: challenge,
  rawId: challenge,
  type: "public-key",
  response: { clientDataJSON: "AAAA", authenticatorData: "AQID", signature: challenge, userHandle: "BAUG" },
};

export const registration: Registration = {
  id: challenge,
  rawId: challenge,
  type: "public-key",
  response: { clientDataJSON: "AAAA", attestationObject: "AQID", transports: ["internal", "hybrid"] },
};

type Reply = Assertion | Registration;
type Given = CredentialRequestOptions & CredentialCreationOptions;

export class FakeBrowser {
  /** What was given to `navigator.credentials`. */
  readonly requests: Given[] = [];
  /** What password managers received. */
  readonly signals: [name: string, options: unknown][] = [];
  hasJson = true;
  hasSignals = true;
  offersAutofill = true;
  /** Replaces the reply of the next prompts. */
  answer: (() => Promise<unknown>) | undefined;

  install() {
    const prompt = (reply: Reply) => (given: Given) => {
      this.requests.push(given);
      return this.answer ? this.answer() : Promise.resolve(this.credential(reply));
    };
    vi.stubGlobal("navigator", {
      credentials: { get: prompt(assertion), create: prompt(registration) },
    });
    // A getter for each: tests take them away later.
    const signal = (name: string) => ({
      get: () =>
        this.hasSignals ? async (options: unknown) => void this.signals.push([name, options]) : undefined,
    });
    const parse = { get: () => (this.hasJson ? (json: unknown) => json : undefined) };
    vi.stubGlobal(
      "PublicKeyCredential",
      Object.defineProperties(class {}, {
        isConditionalMediationAvailable: { value: async () => this.offersAutofill },
        parseCreationOptionsFromJSON: parse,
        parseRequestOptionsFromJSON: parse,
        signalUnknownCredential: signal("signalUnknownCredential"),
        signalAllAcceptedCredentials: signal("signalAllAcceptedCredentials"),
        signalCurrentUserDetails: signal("signalCurrentUserDetails"),
      }),
    );
  }

  credential(json: Reply) {
    if (this.hasJson) {
      return { toJSON: () => json };
    }
    const { transports, ...texts } = json.response as Record<string, string> & { transports?: string[] };
    const bytes = Object.entries(texts).map(([name, text]) => [name, toBytes(text)]);
    return {
      ...json,
      rawId: toBytes(json.rawId),
      response: { ...Object.fromEntries(bytes), ...(transports && { getTransports: () => transports }) },
    };
  }

  /** A prompt that no user answers. */
  untilAborted(): Promise<never> {
    const signal = this.requests.at(-1)?.signal;
    return new Promise((_, reject) =>
      signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError"))),
    );
  }

  /** Waits until so many prompts were opened. */
  opened(count: number): Promise<void> {
    return expect.poll(() => this.requests).toHaveLength(count) as Promise<void>;
  }
}

const toBytes = (text: string) => new Uint8Array(Buffer.from(text, "base64url")).buffer;
