// Where the client keeps what proves who it is. Nothing is written to local storage but the hint of the cookie mode,
// which is no credential.

/** What a store keeps; its parts are the client's business. */
export interface Ticket {
  token: string;
  refresh?: string;
}

/** A place for a ticket: Keychain, a file, whatever one has. It may be shared by tabs. */
export interface Store {
  load(): Ticket | null | Promise<Ticket | null>;
  save(ticket: Ticket | null): void | Promise<void>;
}

/** Forgets at reload. */
export function memoryStore(): Store {
  let kept: Ticket | null = null;
  return {
    load: () => kept,
    save(ticket) {
      kept = ticket;
    },
  };
}

/** Survives a reload, in this tab alone. Every script of the page can read it. Where it is refused, it is memory. */
export function sessionStore(key = "cloakroom"): Store {
  const memory = memoryStore();
  return {
    load() {
      try {
        return JSON.parse(globalThis.sessionStorage.getItem(key) ?? "null");
      } catch {
        return memory.load();
      }
    },
    save(ticket) {
      try {
        if (ticket) {
          globalThis.sessionStorage.setItem(key, JSON.stringify(ticket));
        } else {
          globalThis.sessionStorage.removeItem(key);
        }
      } catch {
        return memory.save(ticket);
      }
    },
  };
}

/**
 * Whether somebody signed in by cookie here. Scripts cannot see the cookie, and asking the server while signed out is
 * an error that browsers print. Without local storage nothing is known, and the server is asked.
 */
export function hint(key: string) {
  return {
    given(): boolean {
      try {
        return globalThis.localStorage.getItem(key) !== null;
      } catch {
        return true;
      }
    },
    give(signedIn: boolean): void {
      try {
        if (signedIn) {
          globalThis.localStorage.setItem(key, "1");
        } else {
          globalThis.localStorage.removeItem(key);
        }
      } catch {}
    },
  };
}
