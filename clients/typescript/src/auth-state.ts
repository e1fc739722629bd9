// The sign-in state, who listens to it, and the sign-in that waits for a second factor.
//
// # Threats
// - a late response undoes a newer sign-in: each request remembers the generation in which it started
// - a stolen pending sign-in: its token is in no state, error, store or message to other tabs

import type { components } from "./schema.js";
import type { AuthState, SecondFactorRequired } from "./types.js";

/** The body of a 401 `second_factor_required`. */
export type PendingReply = components["schemas"]["SecondFactorDue"];

export type AuthStateHolder = ReturnType<typeof holdAuthState>;

export function holdAuthState() {
  const listeners = new Set<() => void>();
  let state: AuthState = { status: "loading" };
  let generation = 0;
  /** Set while the state is `second-factor`; `before` is the state to go back to. */
  let pending: { token: string; before: AuthState } | undefined;

  function set(next: AuthState) {
    if (next.status !== "second-factor") {
      pending = undefined;
    }
    if (JSON.stringify(next) !== JSON.stringify(state)) {
      state = next;
      for (const listener of [...listeners]) {
        listener();
      }
    }
  }

  return {
    get: () => state,
    set,
    onChange(listener: () => void) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    removeListeners: () => listeners.clear(),
    /** Counts sign-ins and sign-outs. */
    generation: () => generation,
    startGeneration: () => ++generation,
    /** The sign-in that waits for a second factor: another object for each. */
    pending: () => pending,
    becomePending({ pending_token, methods, expires_at }: PendingReply): SecondFactorRequired {
      generation++;
      pending = { token: pending_token, before: pending?.before ?? state };
      const next: SecondFactorRequired = { status: "second-factor", methods, expiresAt: expires_at };
      set(next);
      return next;
    },
    cancelSignIn() {
      if (pending) {
        const { before } = pending;
        set(before.status === "loading" ? { status: "signed-out" } : before);
      }
    },
  };
}
