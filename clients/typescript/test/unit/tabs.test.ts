// Two clients of one process stand for two tabs.

import { afterEach, describe, expect, it } from "vitest";
import { type Client, createClient, memoryStore, type Store } from "../../src/index.js";
import { fake, gate, json, secret, shown, signedIn, url } from "./fake.js";

const open: Client[] = [];
afterEach(() => {
  for (const client of open.splice(0)) {
    client.close();
  }
});

function tab(userId = 1, store: Store = memoryStore(), channel = "test") {
  const server = fake(({ method, path }) =>
    method === "GET" ? json(shown(userId)) : json(path === "/v1/session" ? signedIn("crs_one", userId) : {}),
  );
  const client = createClient({ url, fetch: server.fetch, store, channel });
  open.push(client);
  return { ...server, client, store };
}

const status = (client: Client) => expect.poll(() => client.state(), { interval: 5 });
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 50));

describe("tabs", () => {
  it("sign out together", async () => {
    const [one, two] = [tab(), tab()];
    await one.client.signIn(secret);
    await two.client.signIn(secret);
    await one.client.signOut();
    await status(two.client).toEqual({ status: "signed-out", why: "elsewhere" });
    expect(two.store.load()).toBeNull();
    expect(one.client.state()).toEqual({ status: "signed-out", why: "signed-out" });
  });

  it("stay signed in as somebody else", async () => {
    const [one, two] = [tab(1), tab(2)];
    await one.client.signIn(secret);
    await two.client.signIn(secret);
    await one.client.signOut();
    await aMoment();
    expect(two.client.state().status).toBe("signed-in");
  });

  it("hear of a sign-in where they share a store", async () => {
    const store = memoryStore();
    const [one, two] = [tab(1, store), tab(1, store)];
    await two.client.restore();
    expect(two.client.state().status).toBe("signed-out");
    await one.client.signIn(secret);
    await status(two.client).toMatchObject({ status: "signed-in" });
  });

  it("ask again where a sign-in overtakes what they were asking", async () => {
    const store = memoryStore();
    await store.save({ token: "crs_before" });
    const late = gate<Response>();
    let asked = 0;
    const { fetch } = fake(() => (asked++ === 0 ? late.promise : json(shown(2))));
    const slow = createClient({ url, fetch, store, channel: "test" });
    open.push(slow);
    const restored = slow.restore();
    await tab(2, store).client.signIn(secret);
    await status(slow).toMatchObject({ status: "signed-in", user: { id: 2 } });
    late.open(json(shown(1)));
    await restored;
    expect(slow.state()).toMatchObject({ user: { id: 2 } });
  });

  it("of another channel, and closed ones, hear nothing", async () => {
    const [one, other, closed] = [tab(), tab(1, memoryStore(), "other"), tab()];
    for (const { client } of [one, other, closed]) {
      await client.signIn(secret);
    }
    closed.client.close();
    await one.client.signOut();
    await aMoment();
    expect(other.client.state().status).toBe("signed-in");
    expect(closed.client.state().status).toBe("signed-in");
  });
});

it("clients on a server do not hear of each other", async () => {
  const { fetch } = fake(() => json(signedIn("crs_one")));
  const [one, two] = [createClient({ url, fetch }), createClient({ url, fetch })];
  await one.signIn(secret);
  await two.signIn(secret);
  await one.signOut();
  await aMoment();
  expect(two.state().status).toBe("signed-in");
});
