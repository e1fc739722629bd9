// Passkeys with a client: sign-in, sign-up, the second step, reauthentication, and the list of a user's passkeys. An entry
// of its own, so that an application without passkeys does not load it.
//
// What a prompt came to is a `status`, as a missing second factor is; a refusal by the server is a `CloakroomError`.

import { CloakroomError } from "../error.js";
import type { Output } from "../operations.js";
import type { CallOptions, Client, SignedIn } from "../types.js";
import type { Assertion } from "./json.js";
import { createPasskey, type GetOptions, getPasskey, type NoPasskey, type Prompted } from "./prompt.js";
import { signalAccepted, signalUnknown } from "./signals.js";

export type { Assertion, CreationOptions, Registration, RequestOptions } from "./json.js";
export {
  autofillSupported,
  createPasskey,
  type GetOptions,
  getPasskey,
  type NoPasskey,
  type Prompted,
  type PromptOptions,
  passkeysSupported,
} from "./prompt.js";
export { signalAccepted, signalUnknown } from "./signals.js";

export type Passkey = Output<"addPasskey">["passkey"];
export type PasskeyList = Output<"listPasskeys">;

export interface PasskeySignInOptions extends GetOptions {
  /** Whether to stay signed in for longer; read when the user has chosen a passkey. */
  remember?: boolean | (() => boolean);
}

/**
 * Signs in by a passkey, without an address. With `autofill` it waits, for hours if need be, until the user chooses one
 * among the suggestions of an input; it then resolves to `cancelled` as soon as another prompt opens, or if the server
 * cannot be asked.
 */
export async function signInWithPasskey(
  client: Client,
  { remember, autofill, signal }: PasskeySignInOptions = {},
): Promise<SignedIn | NoPasskey> {
  const asked = await (autofill ? getByAutofill : getByDialog)(client, signal);
  return present(asked, (credential) =>
    client.signInWithPasskey(
      { credential, remember: typeof remember === "function" ? remember() : !!remember },
      { signal },
    ),
  );
}

/** Creates an account with a passkey in place of a password. Without a session the address must be confirmed first. */
export async function signUpWithPasskey(
  client: Client,
  { email_address, name }: { email_address: string /** Of the passkey. */; name?: string },
  { signal }: CallOptions = {},
): Promise<({ status: "signed-up" } & Output<"signUp">) | NoPasskey> {
  const options = await client.startPasskeySignUp({ email_address }, { signal });
  const made = await createPasskey(options, { signal });
  if (made.status !== "done") {
    return made;
  }
  const passkey = { credential: made.passkey, ...(name && { name }) };
  return { status: "signed-up", ...(await client.signUp({ email_address, passkey }, { signal })) };
}

/** Presents a passkey as the second factor, if `methods` has it. */
export async function presentPasskey(
  client: Client,
  { signal }: CallOptions = {},
): Promise<SignedIn | NoPasskey> {
  return present(await getByDialog(client, signal), (passkey) =>
    client.presentSecondFactor({ passkey }, { signal }),
  );
}

/** Reauthenticates by a passkey: sensitive changes then need no password for 15 minutes. */
export async function reauthenticateWithPasskey(
  client: Client,
  { signal }: CallOptions = {},
): Promise<({ status: "reauthenticated" } & Output<"reauthenticate">) | NoPasskey> {
  return present(await getByDialog(client, signal), async (passkey) => ({
    status: "reauthenticated" as const,
    ...(await client.reauthenticate({ passkey }, { signal })),
  }));
}

/** Adds a passkey to the account. The session must be reauthenticated. */
export async function addPasskey(
  client: Client,
  { name }: { name?: string } = {},
  { signal }: CallOptions = {},
): Promise<{ status: "added"; passkey: Passkey } | NoPasskey> {
  const options = await client.startPasskey({}, { signal });
  const made = await createPasskey(options, { signal });
  if (made.status !== "done") {
    return made;
  }
  const input = { credential: made.passkey, ...(name && { name }) };
  return { status: "added", ...(await client.addPasskey(input, { signal })) };
}

/** Lists the passkeys, and tells password managers about them and about the name and address of their user. */
export async function listPasskeys(client: Client, { signal }: CallOptions = {}): Promise<PasskeyList> {
  const list = await client.listPasskeys({}, { signal });
  const state = client.state();
  void signalAccepted(list, state.status === "signed-in" ? state.user : undefined);
  return list;
}

interface Asked {
  rpId: string;
  answer: Prompted<Assertion>;
}

async function getByDialog(client: Client, signal: AbortSignal | undefined): Promise<Asked> {
  const options = await client.startPasskeySignIn({}, { signal });
  return { rpId: options.rpId, answer: await getPasskey(options, { signal }) };
}

/** Asks for new options before the challenge of the last ones expires, as long as the page is visible. */
async function getByAutofill(client: Client, signal: AbortSignal | undefined): Promise<Asked> {
  try {
    for (;;) {
      const options = await client.startPasskeySignIn({}, { signal });
      const expired = new AbortController();
      const abort = () => expired.abort();
      const timer = setTimeout(abort, options.timeout * 0.8);
      signal?.addEventListener("abort", abort);
      try {
        return {
          rpId: options.rpId,
          answer: await getPasskey(options, { autofill: true, signal: expired.signal }),
        };
      } catch (error) {
        signal?.throwIfAborted();
        if (!expired.signal.aborted) {
          throw error;
        }
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      }
      await pageVisible(signal);
    }
  } catch (error) {
    // The user did not ask for suggestions, so that a failure concerns no one.
    if (CloakroomError.is(error)) {
      return { rpId: "", answer: { status: "cancelled" } };
    }
    throw error;
  }
}

function pageVisible(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = () => {
      if (signal?.aborted || document.visibilityState === "visible") {
        document.removeEventListener("visibilitychange", check);
        signal?.removeEventListener("abort", check);
        signal?.aborted ? reject(signal.reason) : resolve();
      }
    };
    document.addEventListener("visibilitychange", check);
    signal?.addEventListener("abort", check);
    check();
  });
}

async function present<Result>(
  { rpId, answer }: Asked,
  send: (passkey: Assertion) => Promise<Result>,
): Promise<Result | NoPasskey> {
  if (answer.status !== "done") {
    return answer;
  }
  try {
    return await send(answer.passkey);
  } catch (error) {
    if (CloakroomError.is(error) && error.code === "passkey_unknown") {
      await signalUnknown(rpId, answer.passkey.id);
    }
    throw error;
  }
}
