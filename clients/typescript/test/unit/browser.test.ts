// @vitest-environment happy-dom
// What is kept where, in a browser.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient, sessionStore } from "../../src/index.js";
import { failure, fake, json, secret, shown, signedIn, url } from "./fake.js";

const open: Client[] = [];
const key = `cloakroom:${url}`;

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(() => {
  vi.unstubAllGlobals();
  for (const client of open.splice(0)) {
    client.close();
  }
});

function tab(options: object = {}) {
  let alive = true;
  const server = fake(({ method, body }) => {
    if (method === "GET") {
      return alive ? json(shown()) : failure(401, "token_invalid");
    }
    const cookie = (body as { transport?: string } | undefined)?.transport === "cookie";
    return json(signedIn(cookie ? undefined : "crs_one"));
  });
  const client = createClient({ url, fetch: server.fetch, ...options });
  open.push(client);
  return {
    ...server,
    client,
    die() {
      alive = false;
    },
  };
}

const kept = () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]);

describe("a token is never in local storage by default", () => {
  it("and nothing is anywhere", async () => {
    const { client } = tab();
    await client.signIn(secret);
    expect(kept()).toBe("[{},{}]");
  });

  it("and in cookie mode there is a hint that somebody is signed in, for as long as that is so", async () => {
    const { client, die } = tab({ credentials: "cookie" });
    await client.signIn(secret);
    expect(kept()).toBe(JSON.stringify([{ [key]: "1" }, {}]));
    await client.signOut();
    expect(kept()).toBe("[{},{}]");

    await client.signIn(secret);
    die();
    await expect(client.showUser()).rejects.toThrow();
    expect(kept()).toBe("[{},{}]");
  });
});

it("a tab that hears of a sign-in before it sees the hint asks all the same", async () => {
  const { client } = tab({ credentials: "cookie", channel: "news" });
  expect((await client.restore()).status).toBe("signed-out");
  const other = new BroadcastChannel("news");
  other.postMessage("in");
  await expect.poll(() => client.state().status, { interval: 5 }).toBe("signed-in");
  other.close();
});

describe("a reload in cookie mode", () => {
  it("asks where the hint is", async () => {
    await tab({ credentials: "cookie" }).client.signIn(secret);
    const { client, seen } = tab({ credentials: "cookie" });
    expect((await client.restore()).status).toBe("signed-in");
    expect(seen).toHaveLength(1);
  });

  it("asks nobody where it is not", async () => {
    const { client, seen } = tab({ credentials: "cookie" });
    expect(await client.restore()).toEqual({ status: "signed-out" });
    expect(seen).toEqual([]);
  });

  it("asks where local storage is forbidden", async () => {
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
    await tab({ store: sessionStore() }).client.signIn(secret);
    expect(sessionStorage.getItem("cloakroom")).toBe('{"token":"crs_one"}');
    const { client } = tab({ store: sessionStore() });
    expect((await client.restore()).status).toBe("signed-in");
    await client.signOut();
    expect(kept()).toBe("[{},{}]");
  });

  it("is memory where it is forbidden", async () => {
    const forbidden = () => {
      throw new DOMException("The operation is insecure", "SecurityError");
    };
    vi.stubGlobal("sessionStorage", { getItem: forbidden, setItem: forbidden, removeItem: forbidden });
    const { client } = tab({ store: sessionStore() });
    await client.signIn(secret);
    expect(await client.token()).toBe("crs_one");
    await client.signOut();
    expect(await client.token()).toBeNull();
  });

  it("that holds something else is empty", async () => {
    sessionStorage.setItem("cloakroom", "{");
    expect(await tab({ store: sessionStore() }).client.restore()).toEqual({ status: "signed-out" });
  });
});

describe("without BroadcastChannel", () => {
  it("tabs tell each other through local storage, and leave nothing there", async () => {
    vi.stubGlobal("BroadcastChannel", undefined);
    const [one, two] = [tab(), tab()];
    await one.client.signIn(secret);
    await two.client.signIn(secret);
    // A browser tells the other tabs alone, so this stands for it.
    const written: string[] = [];
    vi.stubGlobal("localStorage", {
      setItem(key: string, newValue: string) {
        written.push(`${key} = ${newValue}`);
        window.dispatchEvent(new StorageEvent("storage", { key, newValue }));
      },
      removeItem: (key: string) => written.push(`no ${key}`),
    });
    await one.client.signOut();
    await expect.poll(() => two.client.state()).toEqual({ status: "signed-out", why: "elsewhere" });
    expect(written).toEqual([`${key}:news = 1`, `no ${key}:news`]);
  });
});
