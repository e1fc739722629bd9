import { describe, expect, it } from "vitest";
import { type ClientOptions, createClient, memoryStore, type TokenStore } from "../../src/index.js";
import {
  type Answer,
  currentSession,
  deferred,
  failure,
  fakeServer,
  json,
  offline,
  type SeenRequest,
  secondFactorRequired,
  signedIn,
  signInInput,
  tokenPair,
  url,
} from "./fake-server.js";

const pendingState = {
  status: "second-factor",
  methods: ["totp_code", "recovery_code"],
  expiresAt: "2026-01-31T09:40:00.000Z",
};

type Answers = Record<string, (seen: SeenRequest) => Answer>;

/** A client, and a fake server whose user has a second factor. */
function setup(answers: Answers = {}, options: Partial<ClientOptions> = {}) {
  const own: Answers = {
    "POST /v1/session": () => secondFactorRequired(),
    "POST /v1/session/second_factor": () => json(signedIn("crs_one")),
    "GET /v1/session": () => json(currentSession()),
  };
  const server = fakeServer((seen) => {
    const answer = answers[`${seen.method} ${seen.path}`] ?? own[`${seen.method} ${seen.path}`];
    return answer ? answer(seen) : json({ message: "Done" });
  });
  const client = createClient({
    url,
    fetch: server.fetch,
    ...(options.credentials !== "cookie" && { store: memoryStore() }),
    ...options,
  } as ClientOptions);
  const states: string[] = [];
  client.onChange(() => states.push(client.state().status));
  return { ...server, client, states };
}

/** A store that holds the token of an earlier sign-in. */
function filledStore(token = "crs_kept"): TokenStore {
  const store = memoryStore();
  void store.save({ token });
  return store;
}

describe("a sign-in that needs a second factor", () => {
  it("is a state and a result", async () => {
    const { client, states } = setup();
    expect(await client.signIn(signInInput)).toEqual(pendingState);
    expect(client.state()).toEqual(pendingState);
    expect(states).toEqual(["second-factor"]);
  });

  it.each([{ totp_code: "123456" }, { recovery_code: "abcde-fghij" }])(
    "is finished by presentSecondFactor: %j",
    async (factor) => {
      const store = memoryStore();
      const { client, seen, states } = setup({}, { store });
      await client.signIn(signInInput);
      expect(store.load()).toBeNull();
      const reply = await client.presentSecondFactor(factor);
      expect(reply).toEqual({ status: "signed-in", ...signedIn("crs_one") });
      expect(seen[1]?.body).toEqual({ ...factor, pending_token: "crp_one" });
      expect(client.state()).toEqual({ status: "signed-in", ...currentSession() });
      expect(store.load()).toEqual({ token: "crs_one" });
      expect(states).toEqual(["second-factor", "signed-in"]);
    },
  );

  it("keeps its token to itself", async () => {
    const stored: unknown[] = [];
    const posted: unknown[] = [];
    const channel = new BroadcastChannel("second-factor");
    channel.onmessage = ({ data }) => posted.push(data);
    const { client } = setup(
      { "POST /v1/session/second_factor": () => failure(401, "invalid_code") },
      { store: { load: () => null, save: (tokens) => void stored.push(tokens) }, channel: "second-factor" },
    );
    const result = await client.signIn(signInInput);
    const error = await client.presentSecondFactor({ totp_code: "000000" }).catch((reason) => reason);
    const shown = JSON.stringify([result, client.state(), { ...error }, error.message, error.stack]);
    expect(shown).not.toContain("crp_");
    expect(stored).toEqual([]);
    const last = new BroadcastChannel("second-factor");
    last.postMessage("last");
    await expect.poll(() => posted).toEqual(["last"]);
    for (const each of [client, channel, last]) {
      each.close();
    }
  });

  it("chooses the cookie in the second step", async () => {
    const { client, seen } = setup(
      { "POST /v1/session/second_factor": () => json(signedIn()) },
      { credentials: "cookie" },
    );
    await client.signIn(signInInput);
    await client.presentSecondFactor({ totp_code: "123456" });
    expect(seen[1]?.body).toMatchObject({ transport: "cookie" });
    expect(client.state().status).toBe("signed-in");
  });

  it("is exchanged for tokens in tokens mode", async () => {
    const store = memoryStore();
    const { client, seen } = setup(
      {
        "POST /v1/tokens": ({ headers }) =>
          headers.authorization === "Bearer crs_one" ? json(tokenPair(1)) : secondFactorRequired(),
      },
      { credentials: "tokens", store },
    );
    expect(await client.signIn(signInInput)).toEqual(pendingState);
    const reply = await client.presentSecondFactor({ totp_code: "123456" });
    expect(reply).toMatchObject({ status: "signed-in", user: { id: 1 } });
    expect(reply).not.toHaveProperty("token");
    expect(seen.map(({ path }) => path)).toEqual([
      "/v1/tokens",
      "/v1/session/second_factor",
      "/v1/tokens",
      "/v1/session",
    ]);
    expect(store.load()).toEqual({ token: tokenPair(1).access_token, refresh: tokenPair(1).refresh_token });
  });

  it.each([
    ["a wrong code", () => failure(401, "invalid_code"), "invalid_code"],
    ["too many", () => failure(429, "rate_limited", {}, { "Retry-After": "9" }), "rate_limited"],
    ["an outage", offline, "network_error"],
  ])("goes on after %s", async (_, answer, code) => {
    let fails = true;
    const { client } = setup({
      "POST /v1/session/second_factor": () => (fails ? answer() : json(signedIn("crs_one"))),
    });
    await client.signIn(signInInput);
    await expect(client.presentSecondFactor({ totp_code: "000000" })).rejects.toMatchObject({ code });
    expect(client.state()).toEqual(pendingState);
    fails = false;
    await client.presentSecondFactor({ totp_code: "123456" });
    expect(client.state().status).toBe("signed-in");
  });

  it("ends when the server no longer knows it", async () => {
    const { client } = setup({
      "POST /v1/session/second_factor": () => failure(401, "pending_sign_in_invalid"),
    });
    await client.signIn(signInInput);
    await expect(client.presentSecondFactor({ totp_code: "1" })).rejects.toMatchObject({
      code: "pending_sign_in_invalid",
    });
    expect(client.state()).toEqual({ status: "signed-out" });
  });

  it("is replaced by a newer one, which a late refusal does not end", async () => {
    const late = deferred<Response>();
    let count = 0;
    const { client, seen } = setup({
      "POST /v1/session": () => secondFactorRequired(`crp_${++count}`),
      "POST /v1/session/second_factor": ({ body }) =>
        JSON.stringify(body).includes("crp_1") ? late.promise : json(signedIn("crs_one")),
    });
    await client.signIn(signInInput);
    const first = client.presentSecondFactor({ totp_code: "1" });
    await client.signIn(signInInput);
    late.resolve(failure(401, "pending_sign_in_invalid"));
    await expect(first).rejects.toThrow();
    expect(client.state()).toEqual(pendingState);
    await client.presentSecondFactor({ totp_code: "2" });
    expect(seen.at(-1)?.body).toMatchObject({ pending_token: "crp_2" });
  });
});

describe("giving up a sign-in", () => {
  it("signs out and forgets its token", async () => {
    const { client, seen } = setup({
      "POST /v1/session/second_factor": () => failure(401, "pending_sign_in_invalid"),
    });
    await client.signIn(signInInput);
    client.cancelSignIn();
    expect(client.state()).toEqual({ status: "signed-out" });
    await expect(client.presentSecondFactor({ totp_code: "1" })).rejects.toThrow();
    expect(seen[1]?.body).toMatchObject({ pending_token: "" });
  });

  it("goes back to an earlier session", async () => {
    const { client } = setup({}, { store: filledStore() });
    const before = await client.restore();
    await client.signIn(signInInput);
    await client.signIn(signInInput);
    client.cancelSignIn();
    expect(client.state()).toEqual(before);
    expect(await client.token()).toBe("crs_kept");
  });

  it("changes nothing without one", async () => {
    const { client, states } = setup();
    client.cancelSignIn();
    expect(states).toEqual([]);
  });
});

describe("while a second factor is missing", () => {
  it.each([null, "crs_kept"])("a restore with the stored token %s changes nothing", async (token) => {
    const { client, seen } = setup({}, { store: token ? filledStore() : memoryStore() });
    await client.signIn(signInInput);
    expect(await client.restore()).toEqual(pendingState);
    expect(seen).toHaveLength(1);
  });

  it.each([
    ["a session", () => json(currentSession())],
    ["an outage", () => failure(503, "unavailable")],
  ])("a restore that began before changes nothing: %s", async (_, answer) => {
    const late = deferred<Response>();
    const { client } = setup({ "GET /v1/session": () => late.promise }, { store: filledStore() });
    const restored = client.restore();
    await client.signIn(signInInput);
    late.resolve(answer());
    await restored;
    expect(client.state()).toEqual(pendingState);
  });

  it("the sign-in of another tab with a store of its own changes nothing", async () => {
    const { client } = setup({}, { channel: "apart" });
    const other = setup({ "POST /v1/session": () => json(signedIn("crs_other")) }, { channel: "apart" });
    const messages: unknown[] = [];
    const observer = new BroadcastChannel("apart");
    observer.onmessage = ({ data }) => messages.push(data);
    await client.signIn(signInInput);
    await other.client.signIn(signInInput);
    await expect.poll(() => messages).toEqual(["signed-in"]);
    expect(client.state()).toEqual(pendingState);
    for (const each of [client, other.client, observer]) {
      each.close();
    }
  });

  it("another tab's sign-out changes nothing, its sign-in is shared", async () => {
    const store = memoryStore();
    const channel = "shared";
    const { client } = setup({}, { store, channel });
    const other = setup({ "POST /v1/session": () => json(signedIn("crs_other")) }, { store, channel });
    const messages: unknown[] = [];
    const observer = new BroadcastChannel(channel);
    observer.onmessage = ({ data }) => messages.push(data);
    await other.client.signIn(signInInput);
    await expect.poll(() => client.state().status).toBe("signed-in");

    await client.signIn(signInInput);
    await other.client.signOut();
    await expect.poll(() => messages).toHaveLength(2);
    expect(client.state()).toEqual(pendingState);
    await other.client.signIn(signInInput);
    await expect.poll(() => client.state().status).toBe("signed-in");
    for (const each of [client, other.client, observer]) {
      each.close();
    }
  });
});
