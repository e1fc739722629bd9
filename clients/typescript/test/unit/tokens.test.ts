import { describe, expect, it } from "vitest";
import { createClient, memoryStore, type TokenStore } from "../../src/index.js";
import {
  type Answer,
  currentSession,
  deferred,
  failure,
  fakeServer,
  json,
  offline,
  type SeenRequest,
  signedIn,
  signInInput,
  tokenPair,
  url,
} from "./fake-server.js";

/** A client and a fake server: only the newest access token is valid, each refresh token works once. */
function setup(
  answers: Record<string, (seen: SeenRequest) => Answer> = {},
  store: TokenStore = memoryStore(),
) {
  let newest = 0;
  const issue = () => json(tokenPair(++newest));
  const server = fakeServer((seen) => {
    const answer = answers[`${seen.method} ${seen.path}`];
    if (answer) {
      return answer(seen);
    }
    if (seen.path === "/v1/tokens") {
      return issue();
    }
    if (seen.path === "/v1/tokens/refresh") {
      const { refresh_token } = seen.body as { refresh_token: string };
      return refresh_token === tokenPair(newest).refresh_token ? issue() : failure(400, "invalid_grant");
    }
    if (seen.path === "/v1/tokens/revoke") {
      return new Response(null, { status: 200 });
    }
    if (seen.headers.authorization !== `Bearer ${tokenPair(newest).access_token}`) {
      return failure(401, "token_expired");
    }
    return json(seen.path === "/v1/session" ? currentSession() : { projects: [], next_cursor: null });
  });
  const client = createClient({ url, fetch: server.fetch, store, credentials: "tokens" });
  return {
    ...server,
    client,
    store,
    refreshes: () => server.requestsTo("/v1/tokens/refresh"),
    /** Replaces the stored access token by an expired one. */
    async expire() {
      const tokens = await store.load();
      await store.save({ token: "eyJold", refresh: tokens?.refresh ?? "" });
    },
  };
}

describe("in tokens mode", () => {
  it("sign-in requests tokens and then the session", async () => {
    const { client, seen, store } = setup();
    const reply = await client.signIn(signInInput);
    expect(reply).toMatchObject({ status: "signed-in", user: { id: 1 } });
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /v1/tokens",
      "GET /v1/session",
    ]);
    expect(store.load()).toEqual({ token: tokenPair(1).access_token, refresh: tokenPair(1).refresh_token });
    expect(client.state().status).toBe("signed-in");
  });

  it("sign-up exchanges its session for tokens", async () => {
    const { client, seen } = setup({ "POST /v1/registrations": () => json(signedIn("crs_new"), 201) });
    await client.signUp(signInInput);
    expect(seen[1]).toMatchObject({ path: "/v1/tokens", headers: { authorization: "Bearer crs_new" } });
    expect(await client.token()).toBe(tokenPair(1).access_token);
  });

  it("sign-out revokes the refresh token", async () => {
    const { client, seen, store } = setup();
    await client.signIn(signInInput);
    await client.signOut();
    expect(seen.at(-1)).toMatchObject({
      path: "/v1/tokens/revoke",
      body: { token: tokenPair(1).refresh_token },
    });
    expect(seen.at(-1)?.headers).not.toHaveProperty("authorization");
    expect(store.load()).toBeNull();
  });

  it("a failed sign-in stores nothing", async () => {
    const { client, store } = setup({ "GET /v1/session": offline });
    await expect(client.signIn(signInInput)).rejects.toMatchObject({ code: "network_error" });
    expect(store.load()).toBeNull();
    expect(client.state().status).toBe("loading");
  });
});

describe("an expired access token", () => {
  it("is refreshed once for fifty concurrent requests", async () => {
    const { client, refreshes, requestsTo, expire, store } = setup();
    await client.signIn(signInInput);
    await expire();
    const replies = await Promise.all(Array.from({ length: 50 }, () => client.listProjects()));
    expect(replies).toHaveLength(50);
    expect(refreshes()).toBe(1);
    expect(requestsTo("/v1/projects")).toBe(100);
    expect(store.load()).toEqual({ token: tokenPair(2).access_token, refresh: tokenPair(2).refresh_token });
    expect(client.state().status).toBe("signed-in");
  });

  it("is not refreshed again for a late refusal", async () => {
    const late = deferred<Response>();
    let first = true;
    const { client, refreshes, expire } = setup({
      "GET /v1/user": () => {
        if (first) {
          first = false;
          return late.promise;
        }
        return json({ user: currentSession().user });
      },
    });
    await client.signIn(signInInput);
    await expire();
    const slow = client.showUser();
    await client.listProjects();
    late.resolve(failure(401, "token_expired"));
    await slow;
    expect(refreshes()).toBe(1);
  });

  it("refreshed by another tab is loaded from the store", async () => {
    const { client, refreshes, store } = setup();
    await client.signIn(signInInput);
    await store.save({ token: "eyJold", refresh: "crr_spent" });
    const call = client.listProjects();
    await store.save({ token: tokenPair(1).access_token, refresh: tokenPair(1).refresh_token });
    await call;
    expect(refreshes()).toBe(0);
  });

  it.each([
    ["invalid_grant", () => failure(400, "invalid_grant")],
    ["token_invalid", () => failure(401, "token_invalid")],
  ])("that cannot be refreshed signs out: %s", async (_, answer) => {
    const { client, expire, store } = setup({ "POST /v1/tokens/refresh": answer });
    await client.signIn(signInInput);
    await expire();
    const calls = await Promise.allSettled([client.listProjects(), client.listProjects()]);
    expect(calls).toMatchObject([
      { reason: { code: "token_expired" } },
      { reason: { code: "token_expired" } },
    ]);
    expect(client.state()).toEqual({ status: "signed-out", reason: "expired" });
    expect(store.load()).toBeNull();
  });

  it.each([
    ["network_error", offline],
    ["unavailable", () => failure(503, "unavailable")],
    ["rate_limited", () => failure(429, "rate_limited", {}, { "Retry-After": "3" })],
  ])("is kept if the server cannot answer: %s", async (code, answer) => {
    let up = false;
    const { client, expire } = setup({
      "POST /v1/tokens/refresh": () => (up ? json(tokenPair(1)) : answer()),
    });
    await client.signIn(signInInput);
    await expire();
    await expect(client.listProjects()).rejects.toMatchObject({ code });
    expect(client.state().status).toBe("signed-in");
    up = true;
    await client.listProjects();
  });

  it("is refreshed at most once for a request", async () => {
    const { client, requestsTo, refreshes } = setup({
      "GET /v1/projects": () => failure(401, "token_invalid"),
    });
    await client.signIn(signInInput);
    await expect(client.listProjects()).rejects.toMatchObject({ code: "token_invalid" });
    expect(requestsTo("/v1/projects")).toBe(2);
    expect(refreshes()).toBe(1);
    expect(client.state()).toEqual({ status: "signed-out", reason: "expired" });
  });

  it("is still refreshed if a waiting request is aborted", async () => {
    const slow = deferred<Response>();
    const { client, expire, refreshes } = setup({ "POST /v1/tokens/refresh": () => slow.promise });
    await client.signIn(signInInput);
    await expire();
    const controller = new AbortController();
    const aborted = client.listProjects({}, { signal: controller.signal });
    const waiting = client.listProjects();
    await expect.poll(refreshes).toBe(1);
    const reason = new Error("no longer wanted");
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    slow.resolve(json(tokenPair(1)));
    await waiting;
    expect(refreshes()).toBe(1);
  });

  it("refreshed during a sign-out is discarded", async () => {
    const slow = deferred<Response>();
    const { client, expire, refreshes, store, seen } = setup({
      "POST /v1/tokens/refresh": () => slow.promise,
    });
    await client.signIn(signInInput);
    await expire();
    const call = client.listProjects();
    await expect.poll(refreshes).toBe(1);
    const out = client.signOut();
    slow.resolve(json(tokenPair(2)));
    await out;
    await call.catch(() => {});
    expect(store.load()).toBeNull();
    const revoked = seen.find(({ path }) => path === "/v1/tokens/revoke");
    expect(revoked?.body).toEqual({ token: tokenPair(2).refresh_token });
    expect(client.state()).toEqual({ status: "signed-out", reason: "signed-out" });
  });

  it("refreshed during a newer sign-in is discarded", async () => {
    const slow = deferred<Response>();
    const { client, expire, refreshes, store } = setup({ "POST /v1/tokens/refresh": () => slow.promise });
    await client.signIn(signInInput);
    await expire();
    const call = client.listProjects();
    await expect.poll(refreshes).toBe(1);
    await client.signIn(signInInput);
    slow.resolve(json(tokenPair(9)));
    await expect(call).rejects.toMatchObject({ code: "token_expired" });
    expect(store.load()).toEqual({ token: tokenPair(2).access_token, refresh: tokenPair(2).refresh_token });
    expect(client.state().status).toBe("signed-in");
  });

  it("refused by another service is refreshed on request", async () => {
    const { client, refreshes } = setup();
    await client.signIn(signInInput);
    const token = (await client.token()) ?? "";
    expect(await client.token("another")).toBe(token);
    expect(refreshes()).toBe(0);
    expect(await client.token(token)).toBe(tokenPair(2).access_token);
    expect(refreshes()).toBe(1);
  });
});
