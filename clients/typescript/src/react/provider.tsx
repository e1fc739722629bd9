import { createContext, type ReactNode, use, useEffect, useSyncExternalStore } from "react";
import type { AuthState, Client, User } from "../types.js";

const ClientContext = createContext<Client | null>(null);
const LOADING: AuthState = { status: "loading" };
/** Milliseconds after which a page that becomes visible checks its session again: it may have ended elsewhere. */
const STALE_AFTER = 60_000;

/** Provides the client; restores the state on mount, when back online and when the page becomes visible again. */
export function AuthProvider({ client, children }: { client: Client; children?: ReactNode }) {
  useEffect(() => {
    let restoredAt = 0;
    const restore = () => {
      restoredAt = Date.now();
      void client.restore();
    };
    const onOnline = () => {
      if (client.state().status === "unreachable") {
        restore();
      }
    };
    const onVisibilityChange = () => {
      if (document.visibilityState === "visible" && Date.now() - restoredAt > STALE_AFTER) {
        restore();
      }
    };
    restore();
    addEventListener("online", onOnline);
    document.addEventListener("visibilitychange", onVisibilityChange);
    return () => {
      removeEventListener("online", onOnline);
      document.removeEventListener("visibilitychange", onVisibilityChange);
    };
  }, [client]);
  return <ClientContext value={client}>{children}</ClientContext>;
}

/** The client given to `AuthProvider`. */
export function useClient(): Client {
  const client = use(ClientContext);
  if (!client) {
    throw new Error("useClient must be used within <AuthProvider>");
  }
  return client;
}

export type Auth = AuthState & { user: User | null; client: Client; isLoading: boolean };

/** The sign-in state with shortcuts. */
export function useAuth(): Auth {
  const client = useClient();
  const state = useSyncExternalStore(client.onChange, client.state, () => LOADING);
  return { user: null, ...state, client, isLoading: state.status === "loading" };
}

/** The signed-in user, for components within `RequireAuth`. */
export function useUser(): User {
  const { user } = useAuth();
  if (!user) {
    throw new Error("useUser must be used within <RequireAuth>");
  }
  return user;
}
