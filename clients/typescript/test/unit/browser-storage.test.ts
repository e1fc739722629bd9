// @vitest-environment happy-dom
// What the client stores in a browser.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient, sessionStore } from "../../src/index.js";
import { currentSession, failure, fakeServer, json, signedIn, signInInput, url } from "./fake-server.js";

const clients: Client[] = [];
const key = `cloakroom:${url}`;

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(() => {
  vi.unstubAllGlobals();
  for (const client of clients.splice(0)) {
    client.close();
  }
});

function tab(options: object = {}) {
  let sessionValid = true;
  const server = fakeServer(({ method, body }) => {
    if (method === "GET") {
      return sessionValid ? json(currentSession()) : failure(401, "token_invalid");
    }
    const cookie = (body as { transport?: string } | undefined)?.transport === "cookie";
    return json(signedIn(cookie ? undefined : "crs_one"));
  });
  const client = createClient({ url, fetch: server.fetch, ...options });
  clients.push(client);
  return {
    ...server,
    client,
    expireSession() {
      sessionValid = false;
    },
  };
}

const storedValues = () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]);

describe("local storage", () => {
  it("stays empty in session mode", async () => {
    const { client } = tab();
    await client.signIn(signInInput);
    expect(storedValues()).toBe("[{},{}]");
  });

  it("holds only the sign-in hint in cookie mode", async () => {
    const { client, expireSession } = tab({ credentials: "cookie" });
    await client.signIn(signInInput);
    expect(storedValues()).toBe(JSON.stringify([{ [key]: "1" }, {}]));
    await client.signOut();
    expect(storedValues()).toBe("[{},{}]");

    await client.signIn(signInInput);
    expireSession();
    await expect(client.showUser()).rejects.toThrow();
    expect(storedValues()).toBe("[{},{}]");
  });
});

it("a tab follows a sign-in before the hint is visible", async () => {
  const { client } = tab({ credentials: "cookie", channel: "tabs" });
  expect((await client.restore()).status).toBe("signed-out");
  const other = new BroadcastChannel("tabs");
  other.postMessage("signed-in");
  await expect.poll(() => client.state().status, { interval: 5 }).toBe("signed-in");
  other.close();
});

describe("a reload in cookie mode", () => {
  it("restores the session if the hint is set", async () => {
    await tab({ credentials: "cookie" }).client.signIn(signInInput);
    const { client, seen } = tab({ credentials: "cookie" });
    expect((await client.restore()).status).toBe("signed-in");
    expect(seen).toHaveLength(1);
  });

  it("sends no request without the hint", async () => {
    const { client, seen } = tab({ credentials: "cookie" });
    expect(await client.restore()).toEqual({ status: "signed-out" });
    expect(seen).toEqual([]);
  });

  it("sends a request if local storage is denied", async () => {
    vi.stubGlobal("localStorage", {
      getItem() {
        throw new DOMException("The operation is insecure", "SecurityError");
      },
    });
    const { client } = tab({ credentials: "cookie" });
    expect((await client.restore()).status).toBe("signed-in");
  });
});

describe("session storage", () => {
  it("keeps the token over a reload", async () => {
    await tab({ store: sessionStore() }).client.signIn(signInInput);
    expect(sessionStorage.getItem("cloakroom")).toBe('{"token":"crs_one"}');
    const { client } = tab({ store: sessionStore() });
    expect((await client.restore()).status).toBe("signed-in");
    await client.signOut();
    expect(storedValues()).toBe("[{},{}]");
  });

  it("falls back to memory if access is denied", async () => {
    const forbidden = () => {
      throw new DOMException("The operation is insecure", "SecurityError");
    };
    vi.stubGlobal("sessionStorage", { getItem: forbidden, setItem: forbidden, removeItem: forbidden });
    const { client } = tab({ store: sessionStore() });
    await client.signIn(signInInput);
    expect(await client.token()).toBe("crs_one");
    await client.signOut();
    expect(await client.token()).toBeNull();
  });

  it("with malformed content counts as empty", async () => {
    sessionStorage.setItem("cloakroom", "{");
    expect(await tab({ store: sessionStore() }).client.restore()).toEqual({ status: "signed-out" });
  });
});

describe("without BroadcastChannel", () => {
  it("tabs notify each other through local storage", async () => {
    vi.stubGlobal("BroadcastChannel", undefined);
    const [one, two] = [tab(), tab()];
    await one.client.signIn(signInInput);
    await two.client.signIn(signInInput);
    // A browser sends storage events to other tabs only; this stub sends them to this one.
    const written: string[] = [];
    vi.stubGlobal("localStorage", {
      setItem(key: string, newValue: string) {
        written.push(`${key} = ${newValue}`);
        window.dispatchEvent(new StorageEvent("storage", { key, newValue }));
      },
      removeItem: (key: string) => written.push(`removed ${key}`),
    });
    await one.client.signOut();
    await expect.poll(() => two.client.state()).toEqual({ status: "signed-out", reason: "other-tab" });
    expect(written).toEqual([`${key}:message = 1`, `removed ${key}:message`]);
  });
});
