// Who is signed in, for the components below.

import { createContext, type ReactNode, use, useEffect, useSyncExternalStore } from "react";
import type { AuthState, Client, User } from "../types.js";

const ClientContext = createContext<Client | null>(null);
const LOADING: AuthState = { status: "loading" };
/** After so long out of sight a page asks again: its session may have been ended elsewhere. */
const STALE = 60_000;

/** Finds out who is signed in, and again when the network or the reader is back. */
export function AuthProvider({ client, children }: { client: Client; children?: ReactNode }) {
  useEffect(() => {
    let asked = 0;
    const ask = () => {
      asked = Date.now();
      void client.restore();
    };
    const online = () => {
      if (client.state().status === "unreachable") {
        ask();
      }
    };
    const seen = () => {
      if (document.visibilityState === "visible" && Date.now() - asked > STALE) {
        ask();
      }
    };
    ask();
    addEventListener("online", online);
    document.addEventListener("visibilitychange", seen);
    return () => {
      removeEventListener("online", online);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [client]);
  return <ClientContext value={client}>{children}</ClientContext>;
}

/** The client that `AuthProvider` was given. */
export function useClient(): Client {
  const client = use(ClientContext);
  if (!client) {
    throw new Error("There is no <AuthProvider> around this component");
  }
  return client;
}

export type Auth = AuthState & { user: User | null; client: Client; isLoading: boolean };

/** The state, and what one asks of it most. */
export function useAuth(): Auth {
  const client = useClient();
  const state = useSyncExternalStore(client.onChange, client.state, () => LOADING);
  return { user: null, ...state, client, isLoading: state.status === "loading" };
}

/** Who is signed in; for components inside of `RequireAuth`. */
export function useUser(): User {
  const { user } = useAuth();
  if (!user) {
    throw new Error("Nobody is signed in: put this component into <RequireAuth>");
  }
  return user;
}
