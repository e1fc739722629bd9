// The browser's prompts: they create a passkey or use one. Options and replies are WebAuthn's JSON forms, as the server
// sends and takes them.

import {
  type Assertion,
  type CreationOptions,
  creationOptions,
  type Registration,
  type RequestOptions,
  replyJson,
  requestOptions,
} from "./json.js";

/** Why there is no passkey, although nothing failed. */
export type NoPasskey =
  /** The user closed the prompt, was not verified, has no passkey here, or let the time pass: browsers do not say which. */
  | { status: "cancelled" }
  /** The browser has no passkeys, or refuses them on this page: `cause` says why, for developers. */
  | { status: "unsupported"; cause?: unknown }
  /** This authenticator has a passkey of the account already. */
  | { status: "already-registered" };

/** What the authenticator returned, for the server to verify. */
export type Prompted<Reply> = { status: "done"; passkey: Reply } | NoPasskey;

export interface PromptOptions {
  signal?: AbortSignal | undefined;
}

export interface GetOptions extends PromptOptions {
  /** Offers passkeys among the suggestions of an input with `autocomplete="username webauthn"`, not by a dialog. */
  autofill?: boolean;
}

/** The prompt that is open: browsers allow one at a time. */
let open: AbortController | undefined;

export function passkeysSupported(): boolean {
  return typeof PublicKeyCredential === "function" && !!globalThis.navigator?.credentials;
}

export async function autofillSupported(): Promise<boolean> {
  return passkeysSupported() && !!(await PublicKeyCredential.isConditionalMediationAvailable?.());
}

/** Lets the user create a passkey. Closes a prompt that is open. */
export function createPasskey(
  options: CreationOptions,
  { signal }: PromptOptions = {},
): Promise<Prompted<Registration>> {
  return prompt(signal, (own) =>
    navigator.credentials.create({ publicKey: creationOptions(options), signal: own }),
  );
}

/** Lets the user choose a passkey. Closes a prompt that is open; one for autofill then ends as `cancelled`. */
export function getPasskey(
  options: RequestOptions,
  { signal, autofill }: GetOptions = {},
): Promise<Prompted<Assertion>> {
  return prompt(signal, (own) =>
    navigator.credentials.get({
      publicKey: requestOptions(options),
      signal: own,
      ...(autofill && { mediation: "conditional" }),
    }),
  );
}

async function prompt<Reply>(
  signal: AbortSignal | undefined,
  ask: (signal: AbortSignal) => Promise<Credential | null>,
): Promise<Prompted<Reply>> {
  signal?.throwIfAborted();
  if (!passkeysSupported()) {
    return { status: "unsupported" };
  }
  open?.abort();
  const own = new AbortController();
  open = own;
  const abort = () => own.abort();
  signal?.addEventListener("abort", abort);
  try {
    const credential = await ask(own.signal);
    return credential
      ? { status: "done", passkey: replyJson(credential as PublicKeyCredential) as Reply }
      : { status: "cancelled" };
  } catch (error) {
    signal?.throwIfAborted();
    return own.signal.aborted ? { status: "cancelled" } : reasonOf(error);
  } finally {
    signal?.removeEventListener("abort", abort);
    if (open === own) {
      open = undefined;
    }
  }
}

function reasonOf(error: unknown): NoPasskey {
  switch ((error as Error | undefined)?.name) {
    case "NotAllowedError":
      return { status: "cancelled" };
    case "InvalidStateError":
      return { status: "already-registered" };
    default:
      return { status: "unsupported", cause: error };
  }
}
