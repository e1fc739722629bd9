// One refresh at a time, however many requests wait for it, in this tab and in others that share the store.

import { CloakroomError } from "./error.js";
import type { Store, Ticket } from "./store.js";

export interface Renewal {
  /** A ticket to try again with; `null` when there is none to be had. Rejects when the server could not say. */
  renew(refused: Ticket): Promise<Ticket | null>;
  /** Resolves when no refresh is under way. */
  settled(): Promise<unknown>;
}

/** `generation` changes with every sign-in and sign-out: what was asked for before it is not kept. */
export function renewal(
  name: string,
  store: Store,
  exchange: (refresh: string) => Promise<Ticket>,
  generation: () => number,
): Renewal {
  let running: Promise<Ticket | null> | undefined;

  async function once(refused: Ticket): Promise<Ticket | null> {
    const at = generation();
    const kept = await store.load();
    if (!kept?.refresh || kept.token !== refused.token) {
      // Nothing to renew; or somebody was faster, perhaps another tab.
      return kept;
    }
    const next = await exchange(kept.refresh).catch((error) => {
      if (CloakroomError.is(error) && (error.code === "invalid_grant" || error.status === 401)) {
        return null;
      }
      throw error;
    });
    if (!next || at !== generation()) {
      return null;
    }
    await store.save(next);
    return next;
  }

  return {
    renew(refused) {
      running ??= locked(name, () => once(refused)).finally(() => {
        running = undefined;
      });
      return running;
    },
    settled: async () => running?.catch(() => {}),
  };
}

function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  return locks ? (locks.request(name, work) as Promise<T>) : work();
}

/** Waits for work that others wait for, too: the signal ends the waiting and not the work. */
export function wait<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
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
