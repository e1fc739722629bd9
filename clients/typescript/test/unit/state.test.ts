import { describe, expect, it, vi } from "vitest";
import {
  CloakroomError,
  createClient,
  memoryStore,
  type StoredTokens,
  type TokenStore,
} from "../../src/index.js";
import {
  type Answer,
  currentSession,
  deferred,
  failure,
  fakeServer,
  json,
  offline,
  type SeenRequest,
  session,
  signedIn,
  signInInput,
  url,
  user,
} from "./fake-server.js";

type Answers = Record<string, (seen: SeenRequest) => Answer>;

/** A client and a fake server that issues `crs_one`, `crs_two`, …; `answers` override its responses. */
function setup(answers: Answers = {}, store: TokenStore = memoryStore()) {
  let count = 0;
  const names = ["one", "two", "three"];
  const own: Answers = {
    "POST /v1/session": () => json(signedIn(`crs_${names[count++]}`)),
    "GET /v1/session": () => json(currentSession()),
    "DELETE /v1/session": () => json({ message: "Logged out" }),
  };
  const server = fakeServer((seen) => {
    const answer = answers[`${seen.method} ${seen.path}`] ?? own[`${seen.method} ${seen.path}`];
    return answer ? answer(seen) : json({ message: "Done" });
  });
  const client = createClient({ url, fetch: server.fetch, store });
  const states: string[] = [];
  client.onChange(() => {
    const state = client.state();
    states.push("reason" in state ? `${state.status}: ${state.reason}` : state.status);
  });
  return { ...server, client, states, store };
}

describe("signing in", () => {
  it("sets the state and stores the token", async () => {
    const { client, states, store } = setup();
    expect(client.state()).toEqual({ status: "loading" });
    const reply = await client.signIn(signInInput);
    expect(reply).toEqual({ status: "signed-in", ...signedIn("crs_one") });
    expect(client.state()).toEqual({ status: "signed-in", ...currentSession() });
    expect(client.state()).toBe(client.state());
    expect(store.load()).toEqual({ token: "crs_one" });
    expect(await client.token()).toBe("crs_one");
    expect(states).toEqual(["signed-in"]);
  });

  it("with a wrong password changes nothing", async () => {
    const { client, states } = setup({ "POST /v1/session": () => failure(401, "invalid_credentials") });
    await expect(client.signIn(signInInput)).rejects.toMatchObject({ code: "invalid_credentials" });
    expect(states).toEqual([]);
  });

  it("follows from signing up", async () => {
    const { client } = setup({ "POST /v1/registrations": () => json(signedIn("crs_new"), 201) });
    await client.signUp(signInInput);
    expect(client.state().status).toBe("signed-in");
    expect(await client.token()).toBe("crs_new");
  });

  it.each([
    [201, { user: user() }],
    [202, { message: "Confirmation instructions sent" }],
  ])("does not follow from a sign-up without a session: %i", async (status, body) => {
    const { client, states } = setup({ "POST /v1/registrations": () => json(body, status) });
    expect(await client.signUp(signInInput)).toEqual(body);
    expect(states).toEqual([]);
  });

  it("rejects if the store throws", async () => {
    const { client, states } = setup({}, { load: () => null, save: () => Promise.reject(new Error("full")) });
    await expect(client.signIn(signInInput)).rejects.toThrow("full");
    expect(states).toEqual([]);
  });
});

describe("restoring", () => {
  it("sends no request with an empty store", async () => {
    const { client, seen } = setup();
    expect(await client.restore()).toEqual({ status: "signed-out" });
    expect(seen).toEqual([]);
  });

  it("shares one request between concurrent calls", async () => {
    const slow: TokenStore = { load: async () => ({ token: "crs_kept" }), save: async () => {} };
    const { client, seen, states } = setup({}, slow);
    const [first, second] = await Promise.all([client.restore(), client.restore()]);
    expect(first).toBe(second);
    expect(first.status).toBe("signed-in");
    expect(seen).toHaveLength(1);
    expect(states).toEqual(["signed-in"]);
    await client.restore();
    expect(seen).toHaveLength(2);
    expect(states).toEqual(["signed-in"]);
  });

  it("signs out if the session has expired", async () => {
    const { client, store, states } = setup({ "GET /v1/session": () => failure(401, "token_expired") });
    await store.save({ token: "crs_old" });
    expect(await client.restore()).toEqual({ status: "signed-out", reason: "expired" });
    expect(store.load()).toBeNull();
    expect(states).toEqual(["signed-out: expired"]);
  });

  it.each([
    ["offline", offline],
    ["503", () => failure(503, "unavailable")],
  ])("is unreachable if the server cannot answer: %s", async (_, answer) => {
    let up = false;
    const { client, store } = setup({ "GET /v1/session": () => (up ? json(currentSession()) : answer()) });
    await store.save({ token: "crs_kept" });
    const state = await client.restore();
    expect(state.status === "unreachable" && CloakroomError.is(state.error)).toBe(true);
    expect(store.load()).toEqual({ token: "crs_kept" });
    up = true;
    expect((await client.restore()).status).toBe("signed-in");
  });

  it("stays signed in while offline", async () => {
    const { client } = setup({ "GET /v1/session": offline });
    await client.signIn(signInInput);
    expect((await client.restore()).status).toBe("signed-in");
  });

  it.each(["insufficient_scope", "forbidden"])(
    "is restricted if the credential must not read its user: %s",
    async (code) => {
      let mayRead = false;
      const { client } = setup(
        { "GET /v1/session": () => (mayRead ? json(currentSession()) : failure(403, code)) },
        { load: () => ({ token: "crk_narrow" }), save: () => {} },
      );
      expect(await client.restore()).toMatchObject({ status: "restricted", error: { status: 403, code } });
      expect(await client.token()).toBe("crk_narrow");
      mayRead = true;
      expect((await client.restore()).status).toBe("signed-in");
    },
  );

  it("is unreachable if the store throws", async () => {
    const broken: TokenStore = { load: () => Promise.reject(new Error("locked")), save() {} };
    const { client } = setup({}, broken);
    expect(await client.restore()).toMatchObject({ status: "unreachable", error: { code: "store_failed" } });
  });
});

describe("signing out", () => {
  it("ends the session and deletes the token", async () => {
    const { client, seen, store } = setup();
    await client.signIn(signInInput);
    expect(await client.signOut()).toEqual({ message: "Logged out" });
    expect(seen[1]).toMatchObject({ method: "DELETE", path: "/v1/session" });
    expect(seen[1]?.headers.authorization).toBe("Bearer crs_one");
    expect(client.state()).toEqual({ status: "signed-out", reason: "signed-out" });
    expect(store.load()).toBeNull();
  });

  it.each([
    ["is unreachable", offline],
    ["does not know the session", () => failure(401, "token_invalid")],
  ])("works if the server %s", async (_, answer) => {
    const { client, store } = setup({ "DELETE /v1/session": answer });
    await client.signIn(signInInput);
    await client.signOut();
    expect(client.state()).toEqual({ status: "signed-out", reason: "signed-out" });
    expect(store.load()).toBeNull();
  });

  it("keeps the token if the server fails", async () => {
    const { client, store } = setup({ "DELETE /v1/session": () => failure(503, "unavailable") });
    await client.signIn(signInInput);
    await expect(client.signOut()).rejects.toMatchObject({ code: "unavailable" });
    expect(client.state().status).toBe("signed-in");
    expect(store.load()).toEqual({ token: "crs_one" });
  });

  it("fails offline in cookie mode", async () => {
    const { fetch } = fakeServer((seen) => (seen.method === "DELETE" ? offline() : json(signedIn())));
    const client = createClient({ url, fetch, credentials: "cookie" });
    await client.signIn(signInInput);
    await expect(client.signOut()).rejects.toMatchObject({ code: "network_error" });
    expect(client.state().status).toBe("signed-in");
  });

  it("does not cancel a running request", async () => {
    const late = deferred<Response>();
    const { client } = setup({ "GET /v1/projects": () => late.promise });
    await client.signIn(signInInput);
    const call = client.listProjects();
    await client.signOut();
    late.resolve(failure(401, "token_invalid"));
    await expect(call).rejects.toMatchObject({ code: "token_invalid" });
    expect(client.state()).toEqual({ status: "signed-out", reason: "signed-out" });
  });

  it("follows from ending the own session or the account", async () => {
    const { client, seen } = setup({ "DELETE /v1/sessions/7": () => new Response(null, { status: 204 }) });
    for (const [end, reason] of [
      [() => client.endSessions(), "signed-out"],
      [() => client.endSession({ id: session().id }), "signed-out"],
      [() => client.deleteAccount({ password_challenge: "correct horse" }), "deleted"],
    ] as const) {
      await client.signIn(signInInput);
      await end();
      expect(client.state()).toEqual({ status: "signed-out", reason });
      expect(await client.token()).toBeNull();
    }
    expect(seen.at(-1)?.body).toEqual({ password_challenge: "correct horse" });
  });

  it("does not follow from ending other sessions", async () => {
    const { client } = setup();
    await client.signIn(signInInput);
    await client.endSessions({ except: "current" });
    await client.endSession({ id: 8 });
    expect(client.state().status).toBe("signed-in");
  });
});

describe("a refused credential", () => {
  it.each(["unauthorized", "token_invalid", "token_expired"])("signs out: %s", async (code) => {
    const { client, store } = setup({ "GET /v1/projects": () => failure(401, code) });
    await client.signIn(signInInput);
    await expect(client.listProjects()).rejects.toMatchObject({ code });
    expect(client.state()).toEqual({ status: "signed-out", reason: "expired" });
    expect(store.load()).toBeNull();
  });

  it("is not an invalid link, a wrong password or a 403", async () => {
    const { client } = setup({
      "PUT /v1/passwords": () => failure(401, "link_invalid"),
      "DELETE /v1/user": () => failure(422, "validation_failed"),
      "GET /v1/projects": () => failure(403, "forbidden"),
    });
    await client.signIn(signInInput);
    await expect(client.resetPassword({ token: "x", password: "y" })).rejects.toThrow();
    await expect(client.deleteAccount()).rejects.toThrow();
    await expect(client.listProjects()).rejects.toThrow();
    expect(client.state().status).toBe("signed-in");
  });

  it("does not undo a newer sign-in", async () => {
    const late = deferred<Response>();
    const { client } = setup({ "GET /v1/projects": () => late.promise });
    await client.signIn(signInInput);
    const call = client.listProjects();
    await client.signIn(signInInput);
    late.resolve(failure(401, "token_invalid"));
    await expect(call).rejects.toMatchObject({ code: "token_invalid" });
    expect(client.state().status).toBe("signed-in");
    expect(await client.token()).toBe("crs_two");
  });

  it("does not undo a newer sign-in in cookie mode", async () => {
    const late = deferred<Response>();
    const { fetch } = fakeServer(({ path }) => (path === "/v1/projects" ? late.promise : json(signedIn())));
    const client = createClient({ url, fetch, credentials: "cookie" });
    await client.signIn(signInInput);
    const call = client.listProjects();
    await client.signIn(signInInput);
    late.resolve(failure(401, "token_invalid"));
    await expect(call).rejects.toMatchObject({ code: "token_invalid" });
    expect(client.state().status).toBe("signed-in");
  });

  it("does not delete tokens stored by another tab", async () => {
    const store = memoryStore();
    const { client } = setup(
      {
        "GET /v1/projects": async () => {
          await store.save({ token: "crs_of-another-tab" });
          return failure(401, "token_invalid");
        },
      },
      store,
    );
    await client.signIn(signInInput);
    await expect(client.listProjects()).rejects.toThrow();
    expect(store.load()).toEqual({ token: "crs_of-another-tab" });
  });

  it("signs out even if the store throws", async () => {
    let stored: StoredTokens | null = null;
    const store: TokenStore = {
      load: () => stored,
      save(tokens) {
        if (!tokens) {
          throw new Error("read-only");
        }
        stored = tokens;
      },
    };
    const { client } = setup({ "GET /v1/projects": () => failure(401, "token_invalid") }, store);
    await client.signIn(signInInput);
    await expect(client.listProjects()).rejects.toMatchObject({ code: "token_invalid" });
    expect(client.state().status).toBe("signed-out");
  });
});

describe("late replies", () => {
  it("of a sign-out do not undo a newer sign-in", async () => {
    const late = deferred<Response>();
    const { client } = setup({ "DELETE /v1/session": () => late.promise });
    await client.signIn(signInInput);
    const out = client.signOut();
    await client.signIn(signInInput);
    late.resolve(json({ message: "Logged out" }));
    await out;
    expect(await client.token()).toBe("crs_two");
  });

  it("of a restore do not undo a sign-out", async () => {
    const late = deferred<Response>();
    const { client } = setup({ "GET /v1/session": () => late.promise });
    await client.signIn(signInInput);
    const restored = client.restore();
    await client.signOut();
    late.resolve(json(currentSession()));
    expect((await restored).status).toBe("signed-out");
    expect(client.state().status).toBe("signed-out");
  });
});

it("a slow, empty store does not undo a sign-in", async () => {
  const slow = deferred<null>();
  let asked = false;
  const { client } = setup(
    {},
    {
      load() {
        const answer = asked ? null : slow.promise;
        asked = true;
        return answer;
      },
      save() {},
    },
  );
  const restored = client.restore();
  await client.signIn(signInInput);
  slow.resolve(null);
  expect((await restored).status).toBe("signed-in");
});

describe("the state", () => {
  it("stores the token of a rotation", async () => {
    const { client } = setup({ "POST /v1/session/rotate": () => json(signedIn("crs_rotated")) });
    await client.signIn(signInInput);
    await client.rotateSession();
    expect(await client.token()).toBe("crs_rotated");
  });

  it("is updated by showUser", async () => {
    const { client } = setup({ "GET /v1/user": () => json({ user: { ...user(), email_confirmed: false } }) });
    await client.signIn(signInInput);
    await client.showUser();
    expect(client.state()).toMatchObject({ status: "signed-in", user: { email_confirmed: false } });
  });

  it("is updated by updateUser", async () => {
    const { client } = setup({ "PATCH /v1/user": () => json({ user: { ...user(), name: "One" } }) });
    await client.signIn(signInInput);
    await client.updateUser({ name: "One" });
    expect(client.state()).toMatchObject({ status: "signed-in", user: { name: "One" } });
  });

  it("is restored after a reset or a confirmation", async () => {
    const { client, requestsTo } = setup({ "GET /v1/session": () => failure(401, "token_invalid") });
    await client.confirmAddress({ token: "x" });
    expect(requestsTo("/v1/session")).toBe(0);
    await client.signIn(signInInput);
    await client.resetPassword({ token: "x", password: "new password" });
    expect(client.state()).toEqual({ status: "signed-out", reason: "expired" });
  });

  it("does not notify removed listeners", async () => {
    const { client } = setup();
    const listener = vi.fn();
    client.onChange(listener)();
    await client.signIn(signInInput);
    expect(listener).not.toHaveBeenCalled();
  });
});

it("cookie mode takes no store", () => {
  // @ts-expect-error: also rejected by the types
  expect(() => createClient({ url, credentials: "cookie", store: memoryStore() })).toThrow(TypeError);
});
