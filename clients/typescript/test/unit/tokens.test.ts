import { describe, expect, it } from "vitest";
import { createClient, memoryStore, type Store } from "../../src/index.js";
import {
  type Answer,
  failure,
  fake,
  gate,
  json,
  offline,
  pair,
  type Seen,
  secret,
  shown,
  signedIn,
  url,
} from "./fake.js";

/** A server whose only good access token is the newest; each refresh token works once. */
function house(answers: Record<string, (seen: Seen) => Answer> = {}, store: Store = memoryStore()) {
  let newest = 0;
  const mint = () => json(pair(++newest));
  const server = fake((seen) => {
    const answer = answers[`${seen.method} ${seen.path}`];
    if (answer) {
      return answer(seen);
    }
    if (seen.path === "/v1/tokens") {
      return mint();
    }
    if (seen.path === "/v1/tokens/refresh") {
      const { refresh_token } = seen.body as { refresh_token: string };
      return refresh_token === pair(newest).refresh_token ? mint() : failure(400, "invalid_grant");
    }
    if (seen.path === "/v1/tokens/revoke") {
      return new Response(null, { status: 200 });
    }
    if (seen.headers.authorization !== `Bearer ${pair(newest).access_token}`) {
      return failure(401, "token_expired");
    }
    return json(seen.path === "/v1/session" ? shown() : { projects: [], next_cursor: null });
  });
  const client = createClient({ url, fetch: server.fetch, store, credentials: "tokens" });
  return {
    ...server,
    client,
    store,
    refreshes: () => server.asked("/v1/tokens/refresh"),
    /** As if the access token's 15 minutes were over: the one that is kept is not the newest. */
    async expire() {
      const ticket = await store.load();
      await store.save({ token: "eyJold", refresh: ticket?.refresh ?? "" });
    },
  };
}

describe("with tokens", () => {
  it("a sign-in is a pair and then who it is", async () => {
    const { client, seen, store } = house();
    const reply = await client.signIn(secret);
    expect(reply.user.id).toBe(1);
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /v1/tokens",
      "GET /v1/session",
    ]);
    expect(store.load()).toEqual({ token: pair(1).access_token, refresh: pair(1).refresh_token });
    expect(client.state().status).toBe("signed-in");
  });

  it("a sign-up trades its session for a pair", async () => {
    const { client, seen } = house({ "POST /v1/registrations": () => json(signedIn("crs_new"), 201) });
    await client.signUp(secret);
    expect(seen[1]).toMatchObject({ path: "/v1/tokens", headers: { authorization: "Bearer crs_new" } });
    expect(await client.token()).toBe(pair(1).access_token);
  });

  it("a sign-out gives the refresh token back, which ends the session", async () => {
    const { client, seen, store } = house();
    await client.signIn(secret);
    await client.signOut();
    expect(seen.at(-1)).toMatchObject({ path: "/v1/tokens/revoke", body: { token: pair(1).refresh_token } });
    expect(seen.at(-1)?.headers).not.toHaveProperty("authorization");
    expect(store.load()).toBeNull();
  });

  it("a failed sign-in keeps nothing", async () => {
    const { client, store } = house({ "GET /v1/session": offline });
    await expect(client.signIn(secret)).rejects.toMatchObject({ code: "network_error" });
    expect(store.load()).toBeNull();
    expect(client.state().status).toBe("loading");
  });
});

describe("an expired access token", () => {
  it("is renewed once for fifty requests, and all of them succeed", async () => {
    const { client, refreshes, asked, expire, store } = house();
    await client.signIn(secret);
    await expire();
    const replies = await Promise.all(Array.from({ length: 50 }, () => client.listProjects()));
    expect(replies).toHaveLength(50);
    expect(refreshes()).toBe(1);
    expect(asked("/v1/projects")).toBe(100);
    expect(store.load()).toEqual({ token: pair(2).access_token, refresh: pair(2).refresh_token });
    expect(client.state().status).toBe("signed-in");
  });

  it("is not renewed again for a refusal that comes after the renewal", async () => {
    const late = gate<Response>();
    let first = true;
    const { client, refreshes, expire } = house({
      "GET /v1/user": () => {
        if (first) {
          first = false;
          return late.promise;
        }
        return json({ user: shown().user });
      },
    });
    await client.signIn(secret);
    await expire();
    const slow = client.showUser();
    await client.listProjects();
    late.open(failure(401, "token_expired"));
    await slow;
    expect(refreshes()).toBe(1);
  });

  it("that another tab renewed meanwhile is taken from the store", async () => {
    const { client, refreshes, store } = house();
    await client.signIn(secret);
    await store.save({ token: "eyJold", refresh: "crr_spent" });
    const call = client.listProjects();
    await store.save({ token: pair(1).access_token, refresh: pair(1).refresh_token });
    await call;
    expect(refreshes()).toBe(0);
  });

  it.each([
    ["invalid_grant", () => failure(400, "invalid_grant")],
    ["a refusal", () => failure(401, "token_invalid")],
  ])("that cannot be renewed signs out: %s", async (_, answer) => {
    const { client, expire, store } = house({ "POST /v1/tokens/refresh": answer });
    await client.signIn(secret);
    await expire();
    const calls = await Promise.allSettled([client.listProjects(), client.listProjects()]);
    expect(calls).toMatchObject([
      { reason: { code: "token_expired" } },
      { reason: { code: "token_expired" } },
    ]);
    expect(client.state()).toEqual({ status: "signed-out", why: "expired" });
    expect(store.load()).toBeNull();
  });

  it.each([
    ["network_error", offline],
    ["unavailable", () => failure(503, "unavailable")],
    ["rate_limited", () => failure(429, "rate_limited", {}, { "Retry-After": "3" })],
  ])("stays where the server cannot say: %s", async (code, answer) => {
    let up = false;
    const { client, expire } = house({
      "POST /v1/tokens/refresh": () => (up ? json(pair(1)) : answer()),
    });
    await client.signIn(secret);
    await expire();
    await expect(client.listProjects()).rejects.toMatchObject({ code });
    expect(client.state().status).toBe("signed-in");
    up = true;
    await client.listProjects();
  });

  it("is tried once more and not twice", async () => {
    const { client, asked, refreshes } = house({ "GET /v1/projects": () => failure(401, "token_invalid") });
    await client.signIn(secret);
    await expect(client.listProjects()).rejects.toMatchObject({ code: "token_invalid" });
    expect(asked("/v1/projects")).toBe(2);
    expect(refreshes()).toBe(1);
    expect(client.state()).toEqual({ status: "signed-out", why: "expired" });
  });

  it("is not renewed by an abort of one who waits, nor is the renewal ended", async () => {
    const slow = gate<Response>();
    const { client, expire, refreshes } = house({ "POST /v1/tokens/refresh": () => slow.promise });
    await client.signIn(secret);
    await expire();
    const controller = new AbortController();
    const given = client.listProjects({}, { signal: controller.signal });
    const patient = client.listProjects();
    await expect.poll(refreshes).toBe(1);
    const reason = new Error("no longer wanted");
    controller.abort(reason);
    await expect(given).rejects.toBe(reason);
    slow.open(json(pair(1)));
    await patient;
    expect(refreshes()).toBe(1);
  });

  it("renewed after a sign-out is not kept", async () => {
    const slow = gate<Response>();
    const { client, expire, refreshes, store, seen } = house({
      "POST /v1/tokens/refresh": () => slow.promise,
    });
    await client.signIn(secret);
    await expire();
    const call = client.listProjects();
    await expect.poll(refreshes).toBe(1);
    const out = client.signOut();
    slow.open(json(pair(2)));
    await out;
    await call.catch(() => {});
    expect(store.load()).toBeNull();
    const revoked = seen.find(({ path }) => path === "/v1/tokens/revoke");
    expect(revoked?.body).toEqual({ token: pair(2).refresh_token });
    expect(client.state()).toEqual({ status: "signed-out", why: "signed-out" });
  });

  it("renewed after a newer sign-in is not kept", async () => {
    const slow = gate<Response>();
    const { client, expire, refreshes, store } = house({ "POST /v1/tokens/refresh": () => slow.promise });
    await client.signIn(secret);
    await expire();
    const call = client.listProjects();
    await expect.poll(refreshes).toBe(1);
    await client.signIn(secret);
    slow.open(json(pair(9)));
    await expect(call).rejects.toMatchObject({ code: "token_expired" });
    expect(store.load()).toEqual({ token: pair(2).access_token, refresh: pair(2).refresh_token });
    expect(client.state().status).toBe("signed-in");
  });

  it("refused by a service of one's own is renewed on request", async () => {
    const { client, refreshes } = house();
    await client.signIn(secret);
    const token = (await client.token()) ?? "";
    expect(await client.token("another")).toBe(token);
    expect(refreshes()).toBe(0);
    expect(await client.token(token)).toBe(pair(2).access_token);
    expect(refreshes()).toBe(1);
  });
});
