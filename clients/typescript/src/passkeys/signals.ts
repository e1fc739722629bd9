// Reports about the user's passkeys to password managers, where the browser passes them on. Nothing depends on it, so
// nothing fails if it does not work.

import type { Output } from "../operations.js";
import type { User } from "../types.js";

/** https://w3c.github.io/webauthn/#sctn-signal-methods, which TypeScript does not know yet. */
interface Signals {
  signalUnknownCredential(options: { rpId: string; credentialId: string }): Promise<void>;
  signalAllAcceptedCredentials(options: {
    rpId: string;
    userId: string;
    allAcceptedCredentialIds: string[];
  }): Promise<void>;
  signalCurrentUserDetails(options: {
    rpId: string;
    userId: string;
    name: string;
    displayName: string;
  }): Promise<void>;
}

/** The server does not know this passkey: managers stop offering it. */
export function signalUnknown(rpId: string, credentialId: string): Promise<void> {
  return send("signalUnknownCredential", { rpId, credentialId });
}

/** The passkeys that the server accepts, and the name and address that managers show with them. */
export async function signalAccepted(list: Output<"listPasskeys">, user?: User): Promise<void> {
  if (!list.user_handle) {
    return;
  }
  const account = { rpId: list.rp_id, userId: list.user_handle };
  await send("signalAllAcceptedCredentials", {
    ...account,
    allAcceptedCredentialIds: list.passkeys.map(({ credential_id }) => credential_id),
  });
  if (user) {
    const { email_address: name, name: displayName } = user;
    await send("signalCurrentUserDetails", { ...account, name, displayName: displayName ?? name });
  }
}

async function send<Name extends keyof Signals>(name: Name, options: Parameters<Signals[Name]>[0]) {
  try {
    // Called as a method: browsers check the receiver.
    await (PublicKeyCredential as unknown as Record<Name, (given: typeof options) => Promise<void>>)[name](
      options,
    );
  } catch {}
}
