// Refreshes tokens: at most one refresh runs at a time, for all waiting requests and all tabs that share the store.

import { CloakroomError } from "./error.js";
import type { StoredTokens, TokenStore } from "./store.js";

export interface TokenRefresher {
  /** Replaces refused tokens; `null` if they cannot be refreshed. Rejects if the server could not answer. */
  refresh(refused: StoredTokens): Promise<StoredTokens | null>;
  /** Resolves when no refresh is running. */
  settled(): Promise<unknown>;
}

/** `generation` changes with every sign-in and sign-out; tokens that were requested before a change are discarded. */
export function tokenRefresher(
  lockName: string,
  store: TokenStore,
  exchange: (refreshToken: string) => Promise<StoredTokens>,
  generation: () => number,
): TokenRefresher {
  let running: Promise<StoredTokens | null> | undefined;

  async function refreshOnce(refused: StoredTokens): Promise<StoredTokens | null> {
    const startedIn = generation();
    const stored = await store.load();
    if (!stored?.refresh || stored.token !== refused.token) {
      // No refresh token, or another request or tab has already refreshed.
      return stored;
    }
    const next = await exchange(stored.refresh).catch((error) => {
      if (CloakroomError.is(error) && (error.code === "invalid_grant" || error.status === 401)) {
        return null;
      }
      throw error;
    });
    if (!next || startedIn !== generation()) {
      return null;
    }
    await store.save(next);
    return next;
  }

  return {
    refresh(refused) {
      running ??= withLock(lockName, () => refreshOnce(refused)).finally(() => {
        running = undefined;
      });
      return running;
    },
    settled: async () => running?.catch(() => {}),
  };
}

function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  return locks ? (locks.request(name, work) as Promise<T>) : work();
}

/** Waits for shared work. The signal ends the wait, not the work. */
export function waitFor<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) {
    return work;
  }
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) {
      abort();
    }
    signal.addEventListener("abort", abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
