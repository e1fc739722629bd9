// Two clients in one process act as two tabs.

import { afterEach, describe, expect, it } from "vitest";
import { type Client, createClient, memoryStore, type TokenStore } from "../../src/index.js";
import { currentSession, deferred, fakeServer, json, signedIn, signInInput, url } from "./fake-server.js";

const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) {
    client.close();
  }
});

function tab(userId = 1, store: TokenStore = memoryStore(), channel = "test") {
  const server = fakeServer(({ method, path }) =>
    method === "GET"
      ? json(currentSession(userId))
      : json(path === "/v1/session" ? signedIn("crs_one", userId) : {}),
  );
  const client = createClient({ url, fetch: server.fetch, store, channel });
  clients.push(client);
  return { ...server, client, store };
}

const status = (client: Client) => expect.poll(() => client.state(), { interval: 5 });
const shortDelay = () => new Promise((resolve) => setTimeout(resolve, 50));

describe("tabs", () => {
  it("sign out together", async () => {
    const [one, two] = [tab(), tab()];
    await one.client.signIn(signInInput);
    await two.client.signIn(signInInput);
    await one.client.signOut();
    await status(two.client).toEqual({ status: "signed-out", reason: "other-tab" });
    expect(two.store.load()).toBeNull();
    expect(one.client.state()).toEqual({ status: "signed-out", reason: "signed-out" });
  });

  it("of another user stay signed in", async () => {
    const [one, two] = [tab(1), tab(2)];
    await one.client.signIn(signInInput);
    await two.client.signIn(signInInput);
    await one.client.signOut();
    await shortDelay();
    expect(two.client.state().status).toBe("signed-in");
  });

  it("with a shared store sign in together", async () => {
    const store = memoryStore();
    const [one, two] = [tab(1, store), tab(1, store)];
    await two.client.restore();
    expect(two.client.state().status).toBe("signed-out");
    await one.client.signIn(signInInput);
    await status(two.client).toMatchObject({ status: "signed-in" });
  });

  it("restore again after a sign-in during a restore", async () => {
    const store = memoryStore();
    await store.save({ token: "crs_before" });
    const late = deferred<Response>();
    let asked = 0;
    const { fetch } = fakeServer(() => (asked++ === 0 ? late.promise : json(currentSession(2))));
    const slow = createClient({ url, fetch, store, channel: "test" });
    clients.push(slow);
    const restored = slow.restore();
    await tab(2, store).client.signIn(signInInput);
    await status(slow).toMatchObject({ status: "signed-in", user: { id: 2 } });
    late.resolve(json(currentSession(1)));
    await restored;
    expect(slow.state()).toMatchObject({ user: { id: 2 } });
  });

  it("with another channel, or closed, are not notified", async () => {
    const [one, other, closed] = [tab(), tab(1, memoryStore(), "other"), tab()];
    for (const { client } of [one, other, closed]) {
      await client.signIn(signInInput);
    }
    closed.client.close();
    await one.client.signOut();
    await shortDelay();
    expect(other.client.state().status).toBe("signed-in");
    expect(closed.client.state().status).toBe("signed-in");
  });
});

it("clients on a server do not notify each other", async () => {
  const { fetch } = fakeServer(() => json(signedIn("crs_one")));
  const [one, two] = [createClient({ url, fetch }), createClient({ url, fetch })];
  await one.signIn(signInInput);
  await two.signIn(signInInput);
  await one.signOut();
  await shortDelay();
  expect(two.state().status).toBe("signed-in");
});
