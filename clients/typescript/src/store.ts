// Where the client keeps its tokens. Local storage holds only the sign-in hint of cookie mode, which is not a credential.

/** What a store keeps. Treat it as opaque: its fields may change. */
export interface StoredTokens {
  token: string;
  refresh?: string;
}

/** Storage for the tokens, for example the Keychain or a file. Tabs may share one. */
export interface TokenStore {
  load(): StoredTokens | null | Promise<StoredTokens | null>;
  save(tokens: StoredTokens | null): void | Promise<void>;
}

/** Keeps the tokens until the page reloads. */
export function memoryStore(): TokenStore {
  let stored: StoredTokens | null = null;
  return {
    load: () => stored,
    save(tokens) {
      stored = tokens;
    },
  };
}

/**
 * Keeps the tokens in the tab's `sessionStorage`, over reloads, where every script of the page can read them. Falls back
 * to memory where the browser denies access.
 */
export function sessionStore(key = "cloakroom"): TokenStore {
  const memory = memoryStore();
  return {
    load() {
      try {
        return JSON.parse(globalThis.sessionStorage.getItem(key) ?? "null");
      } catch {
        return memory.load();
      }
    },
    save(tokens) {
      try {
        if (tokens) {
          globalThis.sessionStorage.setItem(key, JSON.stringify(tokens));
        } else {
          globalThis.sessionStorage.removeItem(key);
        }
      } catch {
        return memory.save(tokens);
      }
    },
  };
}

/**
 * A flag in local storage: a user signed in by cookie in this browser. Scripts cannot see the cookie, and a request
 * while signed out makes the browser print an error. Without local storage the flag reads as set.
 */
export function signInHint(key: string) {
  return {
    get(): boolean {
      try {
        return globalThis.localStorage.getItem(key) !== null;
      } catch {
        return true;
      }
    },
    set(signedIn: boolean): void {
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
