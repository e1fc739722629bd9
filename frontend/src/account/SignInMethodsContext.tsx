import type { Output } from "@cloakroom/client";
import { listPasskeys, type PasskeyList } from "@cloakroom/client/passkeys";
import type { LinkedIdentity } from "@cloakroom/client/providers";
import { useClient } from "@cloakroom/client/react";
import { createContext, type ReactNode, use, useEffect, useState } from "react";
import { type Loaded, useLoad } from "../useLoad.js";

interface SignInMethodsValue {
  factors: Loaded<Output<"listSecondFactors">>;
  passkeys: Loaded<PasskeyList>;
  identities: Loaded<LinkedIdentity[]>;
  /** Assumed until it is known. */
  hasPassword: boolean;
  /** Whether there is one way to sign in at most: a password, a passkey and a linked account are one each. */
  hasOneWay: boolean;
  reload: () => void;
  /** Whether the user has confirmed lately by something else than the password, so that no form needs to ask. */
  confirmed: boolean;
  setConfirmed: (confirmed: boolean) => void;
}

/** Milliseconds for which a form need not ask again: a little less than the server's quarter of an hour. */
const CONFIRMED_FOR = 14 * 60_000;

const Context = createContext<SignInMethodsValue | null>(null);

/** Loads what the user signs in with, once for all sections of the account page. */
export function SignInMethodsProvider({ children }: { children: ReactNode }) {
  const client = useClient();
  const factors = useLoad((signal) => client.listSecondFactors({}, { signal }));
  const passkeys = useLoad((signal) => listPasskeys(client, { signal }));
  const identities = useLoad(async (signal) => (await client.listIdentities({}, { signal })).identities);
  const hasPassword = factors.data?.has_password ?? true;
  const others = (passkeys.data?.passkeys.length ?? 0) + (identities.data?.length ?? 0);
  const isKnown = !!identities.data && !!(passkeys.data || passkeys.error);
  const hasOneWay = isKnown && !hasPassword && others <= 1;
  const [confirmed, setConfirmed] = useState(false);
  useEffect(() => {
    if (confirmed) {
      const timer = setTimeout(() => setConfirmed(false), CONFIRMED_FOR);
      return () => clearTimeout(timer);
    }
  }, [confirmed]);
  function reload() {
    factors.reload();
    passkeys.reload();
    identities.reload();
  }
  return (
    <Context
      value={{ factors, passkeys, identities, hasPassword, hasOneWay, reload, confirmed, setConfirmed }}
    >
      {children}
    </Context>
  );
}

export function useSignInMethods(): SignInMethodsValue {
  const methods = use(Context);
  if (!methods) {
    throw new Error("useSignInMethods must be used within <SignInMethodsProvider>");
  }
  return methods;
}
