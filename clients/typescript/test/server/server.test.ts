// The client and the real server. Every operation is called at least once.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Client,
  type ClientOptions,
  CloakroomError,
  createClient,
  type Store,
} from "../../src/index.js";
import { routes } from "../../src/routes.js";
import { House } from "../house.js";

const origin = "http://localhost:3001";
const password = "correct horse";
const called = new Set<string>();
let house: House;
let people = 0;

beforeAll(async () => {
  house = await House.start({
    CLOAKROOM__CORS__ORIGINS: origin,
    CLOAKROOM__CORS__CREDENTIALS: "true",
  });
});
afterAll(() => house.stop());

const someone = () => `someone-${++people}@example.com`;

/** A client that notes which of its methods are called. */
function clientOf(options: Partial<ClientOptions> = {}, url = house.url): Client {
  const client = createClient({ url, ...options } as ClientOptions);
  return new Proxy(client, {
    get(target, name: keyof Client & string) {
      called.add(name);
      return target[name];
    },
  });
}

async function signedUp(options: Partial<ClientOptions> = {}) {
  const client = clientOf(options);
  const email_address = someone();
  await client.signUp({ email_address, password, password_confirmation: password });
  return { client, email_address };
}

/** The token of the link in the newest such mail. */
async function link(of: House, to: string, kind: "passwords" | "confirmations" | "unlocks") {
  const pattern = new RegExp(`${origin}/${kind}/([\\w.-]+)`);
  const { text } = await of.letter(to, pattern);
  return pattern.exec(text)?.[1] ?? "";
}

const failed = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => expect.fail("it did not fail"),
    (reason: unknown) => reason,
  );
  expect(CloakroomError.is(error)).toBe(true);
  return error as CloakroomError;
};

describe("an account", () => {
  it("is signed up for, signed into, and out of", async () => {
    const { client, email_address } = await signedUp();
    const state = client.state();
    expect(state).toMatchObject({ status: "signed-in", user: { email_address, email_confirmed: false } });
    expect(await client.signOut()).toEqual({ message: "Logged out" });

    const { user, session } = await client.signIn({ email_address, password, remember: true });
    expect(await client.showSession()).toEqual({ user, session });
    expect(await client.showUser()).toEqual({ user });
    expect((await client.confirmPassword({ password })).message).toBe("Password confirmed");
    const before = await client.token();
    await client.rotateSession();
    expect(await client.token()).not.toBe(before);
    expect((await client.listSessions()).sessions).toMatchObject([{ id: session.id, current: true }]);
  });

  it("has failures with fields", async () => {
    const { email_address } = await signedUp();
    const client = clientOf();
    expect(await failed(client.signUp({ email_address, password }))).toMatchObject({
      status: 422,
      code: "account_not_created",
      message: "There was a problem creating your account",
    });
    expect(
      await failed(client.signUp({ email_address: "a", password: "short", password_confirmation: "other" })),
    ).toMatchObject({
      code: "validation_failed",
      fields: {
        email_address: ["is invalid"],
        password: ["is too short (minimum is 8 characters)"],
        password_confirmation: ["doesn't match Password"],
      },
    });
    expect(await failed(client.signIn({ email_address, password: "wrong" }))).toMatchObject({
      status: 401,
      code: "invalid_credentials",
    });
    expect((await failed(client.signIn({ email_address, password: "wrong" }))).requestId).toMatch(/\w/);
  });

  it("confirms its address, and changes it", async () => {
    const { client, email_address } = await signedUp();
    await client.requestConfirmation({ email_address });
    await client.confirmAddress({ token: await link(house, email_address, "confirmations") });
    expect(client.state()).toMatchObject({ user: { email_confirmed: true } });

    const next = someone();
    await client.changeAddress({ password_challenge: password, email_address: next });
    await client.confirmAddress({ token: await link(house, next, "confirmations") });
    expect(client.state()).toMatchObject({ status: "signed-in", user: { email_address: next } });
  });

  it("changes its password, and resets it by a link that works once", async () => {
    const { client, email_address } = await signedUp();
    const changed = "another horse";
    expect(
      await failed(client.changePassword({ password_challenge: "wrong", password: changed })),
    ).toMatchObject({
      fields: { password_challenge: ["is incorrect"] },
    });
    await client.changePassword({ password_challenge: password, password: changed });

    await client.requestPasswordReset({ email_address });
    const token = await link(house, email_address, "passwords");
    expect((await client.showPasswordReset({ token })).email_address).toMatch(/^s.*@example\.com$/);
    expect(await client.resetPassword({ token, password })).toEqual({ message: "Password has been reset." });
    expect(client.state()).toEqual({ status: "signed-out", why: "expired" });
    expect(await failed(client.showPasswordReset({ token }))).toMatchObject({
      code: "link_invalid",
      errors: ["Password reset link is invalid or has expired."],
    });
    await client.signIn({ email_address, password });
  });

  it("ends its sessions, and itself", async () => {
    const { client, email_address } = await signedUp();
    const [second, third] = [clientOf(), clientOf()];
    const { session } = await second.signIn({ email_address, password });
    await third.signIn({ email_address, password });
    expect(await client.endSession({ id: session.id })).toBeUndefined();
    expect(await client.endSessions({ except: "current" })).toMatchObject({ sessions_ended: 1 });
    await expect(third.showUser()).rejects.toMatchObject({ code: "token_invalid" });
    expect(third.state()).toEqual({ status: "signed-out", why: "expired" });
    expect(await failed(client.deleteAccount({ password_challenge: "wrong" }))).toMatchObject({
      status: 422,
    });
    await client.deleteAccount({ password_challenge: password });
    expect(client.state()).toEqual({ status: "signed-out", why: "deleted" });
    expect(await failed(client.signIn({ email_address, password }))).toMatchObject({
      code: "invalid_credentials",
    });
  });
});

it("projects are made, listed by pages, changed and deleted", async () => {
  const { client } = await signedUp();
  const { project } = await client.createProject({ title: "Coats" });
  const { project: hats } = await client.createProject({ title: "Hats", description: "Tall ones" });
  const first = await client.listProjects({ limit: 1 });
  expect(first.projects).toEqual([hats]);
  const rest = await client.listProjects({ limit: 1, cursor: first.next_cursor ?? "" });
  expect(rest).toEqual({ projects: [project], next_cursor: null });
  const { project: fewer } = await client.updateProject({ id: hats.id, description: null });
  expect(fewer).toMatchObject({ title: "Hats", description: null });
  expect(await client.showProject({ id: hats.id })).toEqual({ project: fewer });
  expect(await client.deleteProject({ id: hats.id })).toBeUndefined();
  expect(await failed(client.showProject({ id: hats.id }))).toMatchObject({ status: 404, code: "not_found" });
  expect(await failed(client.createProject({ title: " " }))).toMatchObject({
    fields: { title: ["can't be blank"] },
  });
});

/** The store of a program, which knows its API key from elsewhere. */
const holding = (key: string): Store => ({ load: () => ({ token: key }), save() {} });

describe("an API key", () => {
  it("is made, does what its scopes say, is renamed and revoked", async () => {
    const { client, email_address } = await signedUp();
    const { key, api_key } = await client.createApiKey({ name: "Backup", scopes: ["projects:read"] });
    expect(api_key).toMatchObject({ name: "Backup", prefix: "crk_", scopes: ["projects:read"] });
    expect(key.endsWith(api_key.last_four)).toBe(true);

    const program = clientOf({ store: holding(key) });
    expect(await program.listProjects()).toEqual({ projects: [], next_cursor: null });
    expect(await program.restore()).toMatchObject({ user: { email_address }, session: null });
    expect(await failed(program.createProject({ title: "Coats" }))).toMatchObject({
      status: 403,
      code: "insufficient_scope",
    });
    expect(await failed(program.listApiKeys())).toMatchObject({ status: 403, code: "forbidden" });
    expect(program.state().status).toBe("signed-in");

    const { api_key: renamed } = await client.renameApiKey({ id: api_key.id, name: "Nightly" });
    expect(renamed.name).toBe("Nightly");
    expect(await client.revokeApiKey({ id: api_key.id })).toBeUndefined();
    expect((await client.listApiKeys()).api_keys).toMatchObject([{ name: "Nightly", id: api_key.id }]);
    expect(await failed(program.listProjects())).toMatchObject({ status: 401, code: "invalid_api_key" });
    expect(program.state()).toEqual({ status: "signed-out", why: "expired" });
  });

  it("that cannot be made says which field is at fault", async () => {
    const { client } = await signedUp();
    expect(
      await failed(client.createApiKey({ name: " ", scopes: ["Everything!"], expires_at: "tomorrow" })),
    ).toMatchObject({
      code: "validation_failed",
      fields: {
        name: ["can't be blank"],
        scopes: [expect.any(String)],
        expires_at: [expect.any(String)],
      },
    });
  });
});

describe("tokens", () => {
  it("are had for a session or a password, looked into, renewed and revoked", async () => {
    const { client, email_address } = await signedUp();
    const narrow = await client.createTokens({ scope: "projects:read" });
    expect(narrow).toMatchObject({ token_type: "Bearer", scope: "projects:read" });
    const wide = await clientOf().createTokens({ email_address, password });
    expect(wide.scope).toBe("projects:read projects:write");
    expect(await failed(client.createTokens({ scope: "all:all" }))).toMatchObject({ code: "invalid_scope" });
    expect(await failed(client.createTokens({ email_address, password: "wrong" }))).toMatchObject({
      code: "invalid_credentials",
    });
    expect(client.state().status).toBe("signed-in");

    const { key } = await client.createApiKey({ name: "Gateway", scopes: ["introspect"] });
    const gateway = clientOf({ store: holding(key) });
    expect(await gateway.introspect({ token: narrow.access_token })).toMatchObject({
      active: true,
      credential: "access_token",
      username: email_address,
      scope: "projects:read",
    });
    const next = await client.refreshTokens({ refresh_token: narrow.refresh_token ?? "" });
    expect(next.refresh_token).not.toBe(narrow.refresh_token);
    await client.revokeToken({ token: next.access_token });
    expect(await gateway.introspect({ token: next.access_token })).toEqual({ active: false });
    expect(await gateway.introspect({ token: narrow.access_token })).toMatchObject({ active: true });
    await client.revokeToken({ token: key });
    expect(await failed(gateway.introspect({ token: key }))).toMatchObject({ code: "invalid_api_key" });
  });

  it("are verified by keys that everybody may have, or by asking", async () => {
    const { client } = await signedUp({ credentials: "tokens" });
    const [head = ""] = ((await client.token()) ?? "").split(".");
    const { kid } = JSON.parse(Buffer.from(head, "base64url").toString());
    expect((await clientOf().listKeys()).keys).toMatchObject([{ kid, kty: "OKP", crv: "Ed25519" }]);
    await client.verify({ scope: "projects:read" });
    expect(await failed(client.verify({ scope: "orders:read" }))).toMatchObject({
      status: 403,
      code: "insufficient_scope",
    });
    await expect(clientOf().verify()).rejects.toMatchObject({ code: "unauthorized" });
  });
});

it("a request of one's own carries the credential", async () => {
  const { client } = await signedUp();
  expect(await client.request("GET", "/v1/projects", { query: { limit: 1 } })).toHaveProperty("projects");
});

it("the cookie mode needs no token, and a reload finds the session", async () => {
  const jar = new Map<string, string>();
  const bodies: string[] = [];
  const browser = async (url: string | URL | Request, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set("Origin", origin);
    headers.set("Cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const reply = await fetch(url, { ...init, headers });
    for (const line of reply.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "" || /max-age=0/i.test(line)) {
        jar.delete(name);
      } else {
        jar.set(name, value);
      }
    }
    bodies.push(await reply.clone().text());
    return reply;
  };
  const { client } = await signedUp({ credentials: "cookie", fetch: browser });
  expect([...jar.keys()]).toEqual(["cloakroom"]);
  await client.createProject({ title: "Coats" });

  // For services that verify by themselves; what would renew it stays in the cookie.
  const pair = await client.createTokens();
  expect(pair).not.toHaveProperty("refresh_token");

  const reloaded = clientOf({ credentials: "cookie", fetch: browser });
  expect((await reloaded.restore()).status).toBe("signed-in");
  await reloaded.signOut();
  expect(jar.size).toBe(0);
  await expect(client.showUser()).rejects.toMatchObject({ code: "unauthorized" });
  expect(client.state()).toEqual({ status: "signed-out", why: "expired" });
  expect(bodies.join("\n")).not.toMatch(/crs_/);
});

it("a throttled sign-in says when to try again, and the link in the mail opens it", async () => {
  const strict = await House.start({
    CLOAKROOM__THROTTLE__ENABLED: "true",
    CLOAKROOM__THROTTLE__ADDRESS_FAILURES: "2 in 1h",
  });
  try {
    const client = clientOf({}, strict.url);
    const email_address = someone();
    await client.signUp({ email_address, password });
    for (let tries = 0; tries < 2; tries++) {
      await failed(client.signIn({ email_address, password: "wrong" }));
    }
    const error = await failed(client.signIn({ email_address, password }));
    expect(error).toMatchObject({ status: 429, code: "rate_limited", message: "Try again later." });
    expect(error.retryAfter).toBeGreaterThan(0);
    await client.unlock({ token: await link(strict, email_address, "unlocks") });
    await client.signIn({ email_address, password });
  } finally {
    await strict.stop();
  }
});

it("a server that is away is unreachable, and is found again", async () => {
  const away = await House.start();
  try {
    const client = clientOf({}, away.url);
    expect(await client.ready()).toEqual({ status: "ready" });
    expect(await client.up()).toEqual({ status: "up" });
    await client.signUp({ email_address: someone(), password });
    await away.pause();
    expect(await failed(client.showUser())).toMatchObject({ status: 0, code: "network_error" });
    expect(client.state().status).toBe("signed-in");
    await away.restart();
    await client.showUser();
  } finally {
    await away.stop();
  }
});

it("every operation was called", () => {
  expect(Object.keys(routes).filter((id) => !called.has(id))).toEqual([]);
});
