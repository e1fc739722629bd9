import { describe, expect, it, vi } from "vitest";
import { CloakroomError, createClient, memoryStore, type Store, type Ticket } from "../../src/index.js";
import {
  type Answer,
  failure,
  fake,
  gate,
  json,
  offline,
  type Seen,
  secret,
  session,
  shown,
  signedIn,
  url,
  user,
} from "./fake.js";

type Answers = Record<string, (seen: Seen) => Answer>;

/** A server that signs in as `crs_one`, `crs_two` and so on, with these answers over its own. */
function house(answers: Answers = {}, store: Store = memoryStore()) {
  let count = 0;
  const names = ["one", "two", "three"];
  const own: Answers = {
    "POST /v1/session": () => json(signedIn(`crs_${names[count++]}`)),
    "GET /v1/session": () => json(shown()),
    "DELETE /v1/session": () => json({ message: "Logged out" }),
  };
  const server = fake((seen) => {
    const answer = answers[`${seen.method} ${seen.path}`] ?? own[`${seen.method} ${seen.path}`];
    return answer ? answer(seen) : json({ message: "Done" });
  });
  const client = createClient({ url, fetch: server.fetch, store });
  const states: string[] = [];
  client.onChange(() => {
    const state = client.state();
    states.push("why" in state ? `${state.status}: ${state.why}` : state.status);
  });
  return { ...server, client, states, store };
}

describe("signing in", () => {
  it("shows who it is, and keeps the token", async () => {
    const { client, states, store } = house();
    expect(client.state()).toEqual({ status: "loading" });
    const reply = await client.signIn(secret);
    expect(reply.user.id).toBe(1);
    expect(client.state()).toEqual({ status: "signed-in", ...shown() });
    expect(client.state()).toBe(client.state());
    expect(store.load()).toEqual({ token: "crs_one" });
    expect(await client.token()).toBe("crs_one");
    expect(states).toEqual(["signed-in"]);
  });

  it("with a wrong password changes nothing", async () => {
    const { client, states } = house({ "POST /v1/session": () => failure(401, "invalid_credentials") });
    await expect(client.signIn(secret)).rejects.toMatchObject({ code: "invalid_credentials" });
    expect(states).toEqual([]);
  });

  it("by signing up is the same", async () => {
    const { client } = house({ "POST /v1/registrations": () => json(signedIn("crs_new"), 201) });
    await client.signUp(secret);
    expect(client.state().status).toBe("signed-in");
    expect(await client.token()).toBe("crs_new");
  });

  it.each([
    [201, { user: user() }],
    [202, { message: "Confirmation instructions sent" }],
  ])("waits for a confirmation where a sign-up gives no session: %i", async (status, body) => {
    const { client, states } = house({ "POST /v1/registrations": () => json(body, status) });
    expect(await client.signUp(secret)).toEqual(body);
    expect(states).toEqual([]);
  });

  it("rejects where the store throws, and signs nobody in", async () => {
    const { client, states } = house({}, { load: () => null, save: () => Promise.reject(new Error("full")) });
    await expect(client.signIn(secret)).rejects.toThrow("full");
    expect(states).toEqual([]);
  });
});

describe("restoring", () => {
  it("an empty store asks nobody", async () => {
    const { client, seen } = house();
    expect(await client.restore()).toEqual({ status: "signed-out" });
    expect(seen).toEqual([]);
  });

  it("asks once, however many want to know, and a store may take its time", async () => {
    const slow: Store = { load: async () => ({ token: "crs_kept" }), save: async () => {} };
    const { client, seen, states } = house({}, slow);
    const [first, second] = await Promise.all([client.restore(), client.restore()]);
    expect(first).toBe(second);
    expect(first.status).toBe("signed-in");
    expect(seen).toHaveLength(1);
    expect(states).toEqual(["signed-in"]);
    await client.restore();
    expect(seen).toHaveLength(2);
    expect(states).toEqual(["signed-in"]);
  });

  it("finds that the session has ended", async () => {
    const { client, store, states } = house({ "GET /v1/session": () => failure(401, "token_expired") });
    await store.save({ token: "crs_old" });
    expect(await client.restore()).toEqual({ status: "signed-out", why: "expired" });
    expect(store.load()).toBeNull();
    expect(states).toEqual(["signed-out: expired"]);
  });

  it.each([
    ["offline", offline],
    ["503", () => failure(503, "unavailable")],
  ])("is unreachable where the server cannot say: %s", async (_, answer) => {
    let up = false;
    const { client, store } = house({ "GET /v1/session": () => (up ? json(shown()) : answer()) });
    await store.save({ token: "crs_kept" });
    const state = await client.restore();
    expect(state.status === "unreachable" && CloakroomError.is(state.error)).toBe(true);
    expect(store.load()).toEqual({ token: "crs_kept" });
    up = true;
    expect((await client.restore()).status).toBe("signed-in");
  });

  it("leaves whoever is signed in while offline", async () => {
    const { client } = house({ "GET /v1/session": offline });
    await client.signIn(secret);
    expect((await client.restore()).status).toBe("signed-in");
  });

  it("is unreachable where the store throws", async () => {
    const broken: Store = { load: () => Promise.reject(new Error("locked")), save() {} };
    const { client } = house({}, broken);
    expect(await client.restore()).toMatchObject({ status: "unreachable", error: { code: "store_failed" } });
  });
});

describe("signing out", () => {
  it("ends the session, forgets the token, and says why", async () => {
    const { client, seen, store } = house();
    await client.signIn(secret);
    expect(await client.signOut()).toEqual({ message: "Logged out" });
    expect(seen[1]).toMatchObject({ method: "DELETE", path: "/v1/session" });
    expect(seen[1]?.headers.authorization).toBe("Bearer crs_one");
    expect(client.state()).toEqual({ status: "signed-out", why: "signed-out" });
    expect(store.load()).toBeNull();
  });

  it.each([
    ["is out of reach", offline],
    ["has forgotten the session", () => failure(401, "token_invalid")],
  ])("works where the server %s", async (_, answer) => {
    const { client, store } = house({ "DELETE /v1/session": answer });
    await client.signIn(secret);
    await client.signOut();
    expect(client.state()).toEqual({ status: "signed-out", why: "signed-out" });
    expect(store.load()).toBeNull();
  });

  it("keeps the token where the server could not do it", async () => {
    const { client, store } = house({ "DELETE /v1/session": () => failure(503, "unavailable") });
    await client.signIn(secret);
    await expect(client.signOut()).rejects.toMatchObject({ code: "unavailable" });
    expect(client.state().status).toBe("signed-in");
    expect(store.load()).toEqual({ token: "crs_one" });
  });

  it("in cookie mode fails while offline, since the cookie stays", async () => {
    const { fetch } = fake((seen) => (seen.method === "DELETE" ? offline() : json(signedIn())));
    const client = createClient({ url, fetch, credentials: "cookie" });
    await client.signIn(secret);
    await expect(client.signOut()).rejects.toMatchObject({ code: "network_error" });
    expect(client.state().status).toBe("signed-in");
  });

  it("while a request is under way lets that one fail by itself", async () => {
    const late = gate<Response>();
    const { client } = house({ "GET /v1/projects": () => late.promise });
    await client.signIn(secret);
    const call = client.listProjects();
    await client.signOut();
    late.open(failure(401, "token_invalid"));
    await expect(call).rejects.toMatchObject({ code: "token_invalid" });
    expect(client.state()).toEqual({ status: "signed-out", why: "signed-out" });
  });

  it("follows from ending all sessions, one's own, or the account", async () => {
    const { client, seen } = house({ "DELETE /v1/sessions/7": () => new Response(null, { status: 204 }) });
    for (const [end, why] of [
      [() => client.endSessions(), "signed-out"],
      [() => client.endSession({ id: session().id }), "signed-out"],
      [() => client.deleteAccount({ password_challenge: "correct horse" }), "deleted"],
    ] as const) {
      await client.signIn(secret);
      await end();
      expect(client.state()).toEqual({ status: "signed-out", why });
      expect(await client.token()).toBeNull();
    }
    expect(seen.at(-1)?.body).toEqual({ password_challenge: "correct horse" });
  });

  it("does not follow from ending the others", async () => {
    const { client } = house();
    await client.signIn(secret);
    await client.endSessions({ except: "current" });
    await client.endSession({ id: 8 });
    expect(client.state().status).toBe("signed-in");
  });
});

describe("a refused credential", () => {
  it.each(["unauthorized", "token_invalid", "token_expired"])("signs out: %s", async (code) => {
    const { client, store } = house({ "GET /v1/projects": () => failure(401, code) });
    await client.signIn(secret);
    await expect(client.listProjects()).rejects.toMatchObject({ code });
    expect(client.state()).toEqual({ status: "signed-out", why: "expired" });
    expect(store.load()).toBeNull();
  });

  it("is not a dead link, nor a wrong password, nor something forbidden", async () => {
    const { client } = house({
      "PUT /v1/passwords/x": () => failure(401, "link_invalid"),
      "DELETE /v1/user": () => failure(422, "validation_failed"),
      "GET /v1/projects": () => failure(403, "forbidden"),
    });
    await client.signIn(secret);
    await expect(client.resetPassword({ token: "x", password: "y" })).rejects.toThrow();
    await expect(client.deleteAccount()).rejects.toThrow();
    await expect(client.listProjects()).rejects.toThrow();
    expect(client.state().status).toBe("signed-in");
  });

  it("that comes late does not undo a newer sign-in", async () => {
    const late = gate<Response>();
    const { client } = house({ "GET /v1/projects": () => late.promise });
    await client.signIn(secret);
    const call = client.listProjects();
    await client.signIn(secret);
    late.open(failure(401, "token_invalid"));
    await expect(call).rejects.toMatchObject({ code: "token_invalid" });
    expect(client.state().status).toBe("signed-in");
    expect(await client.token()).toBe("crs_two");
  });

  it("that comes late does not undo a newer sign-in in cookie mode either", async () => {
    const late = gate<Response>();
    const { fetch } = fake(({ path }) => (path === "/v1/projects" ? late.promise : json(signedIn())));
    const client = createClient({ url, fetch, credentials: "cookie" });
    await client.signIn(secret);
    const call = client.listProjects();
    await client.signIn(secret);
    late.open(failure(401, "token_invalid"));
    await expect(call).rejects.toMatchObject({ code: "token_invalid" });
    expect(client.state().status).toBe("signed-in");
  });

  it("does not throw away what another tab has put into the store since", async () => {
    const store = memoryStore();
    const { client } = house(
      {
        "GET /v1/projects": async () => {
          await store.save({ token: "crs_of-another-tab" });
          return failure(401, "token_invalid");
        },
      },
      store,
    );
    await client.signIn(secret);
    await expect(client.listProjects()).rejects.toThrow();
    expect(store.load()).toEqual({ token: "crs_of-another-tab" });
  });

  it("signs out though the store throws", async () => {
    let kept: Ticket | null = null;
    const store: Store = {
      load: () => kept,
      save(ticket) {
        if (!ticket) {
          throw new Error("read-only");
        }
        kept = ticket;
      },
    };
    const { client } = house({ "GET /v1/projects": () => failure(401, "token_invalid") }, store);
    await client.signIn(secret);
    await expect(client.listProjects()).rejects.toMatchObject({ code: "token_invalid" });
    expect(client.state().status).toBe("signed-out");
  });
});

describe("late replies", () => {
  it("of a sign-out do not undo a newer sign-in", async () => {
    const late = gate<Response>();
    const { client } = house({ "DELETE /v1/session": () => late.promise });
    await client.signIn(secret);
    const out = client.signOut();
    await client.signIn(secret);
    late.open(json({ message: "Logged out" }));
    await out;
    expect(await client.token()).toBe("crs_two");
  });

  it("of a restore do not undo a sign-out", async () => {
    const late = gate<Response>();
    const { client } = house({ "GET /v1/session": () => late.promise });
    await client.signIn(secret);
    const restored = client.restore();
    await client.signOut();
    late.open(json(shown()));
    expect((await restored).status).toBe("signed-out");
    expect(client.state().status).toBe("signed-out");
  });
});

it("a store that is slow to say that it is empty does not undo a sign-in", async () => {
  const slow = gate<null>();
  let asked = false;
  const { client } = house(
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
  await client.signIn(secret);
  slow.open(null);
  expect((await restored).status).toBe("signed-in");
});

describe("what the state follows", () => {
  it("a rotation gives a new token", async () => {
    const { client } = house({ "POST /v1/session/rotate": () => json(signedIn("crs_rotated")) });
    await client.signIn(secret);
    await client.rotateSession();
    expect(await client.token()).toBe("crs_rotated");
  });

  it("showUser shows what changed", async () => {
    const { client } = house({ "GET /v1/user": () => json({ user: { ...user(), email_confirmed: false } }) });
    await client.signIn(secret);
    await client.showUser();
    expect(client.state()).toMatchObject({ status: "signed-in", user: { email_confirmed: false } });
  });

  it("a reset or a confirmation asks again", async () => {
    const { client, asked } = house({ "GET /v1/session": () => failure(401, "token_invalid") });
    await client.confirmAddress({ token: "x" });
    expect(asked("/v1/session")).toBe(0);
    await client.signIn(secret);
    await client.resetPassword({ token: "x", password: "new password" });
    expect(client.state()).toEqual({ status: "signed-out", why: "expired" });
  });

  it("nobody is told who no longer listens", async () => {
    const { client } = house();
    const listener = vi.fn();
    client.onChange(listener)();
    await client.signIn(secret);
    expect(listener).not.toHaveBeenCalled();
  });
});

it("has nothing to store in cookie mode", () => {
  // @ts-expect-error: the types say so, too
  expect(() => createClient({ url, credentials: "cookie", store: memoryStore() })).toThrow(TypeError);
});
