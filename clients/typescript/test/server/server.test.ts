// The client against the real server. Calls every operation at least once.

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  type Client,
  type ClientOptions,
  CloakroomError,
  createClient,
  type TokenStore,
} from "../../src/index.js";
import {
  addPasskey,
  listPasskeys,
  presentPasskey,
  reauthenticateWithPasskey,
  signInWithPasskey,
  signUpWithPasskey,
} from "../../src/passkeys/index.js";
import { routes } from "../../src/routes.js";
import { SoftwareAuthenticator } from "../software-authenticator.js";
import { TestServer } from "../test-server.js";
import { previousTotpCode, totpCode } from "../totp.js";

const origin = "http://localhost:3001";
const password = "correct horse";
const called = new Set<string>();
let server: TestServer;
let userCount = 0;

beforeAll(async () => {
  server = await TestServer.start({
    CLOAKROOM__CORS__ORIGINS: origin,
    CLOAKROOM__CORS__CREDENTIALS: "true",
    CLOAKROOM__SIGN_IN__MAIL_CODE: "true",
  });
});
afterAll(() => server.stop());

const uniqueAddress = () => `user-${++userCount}@example.com`;

/** A client that records which of its methods are called. */
function clientOf(options: Partial<ClientOptions> = {}, url = server.url): Client {
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
  const email_address = uniqueAddress();
  await client.signUp({ email_address, password, password_confirmation: password });
  return { client, email_address };
}

/** The token of the link in the newest mail of that kind. */
async function linkToken(
  of: TestServer,
  to: string,
  kind: "passwords" | "confirmations" | "unlocks" | "session/code",
) {
  const pattern = new RegExp(`${origin}/${kind}(?:/edit)?#([\\w.-]+)`);
  const { text } = await of.waitForMail(to, pattern);
  return pattern.exec(text)?.[1] ?? "";
}

/** The reply of a sign-in that needed no second factor. */
const signedInAs = (reply: Awaited<ReturnType<Client["signIn"]>>) =>
  reply.status === "signed-in" ? reply : expect.fail("a second factor is required");

const failureOf = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => expect.fail("resolved"),
    (reason: unknown) => reason,
  );
  expect(CloakroomError.is(error)).toBe(true);
  return error as CloakroomError;
};

describe("an account", () => {
  it("signs up, signs out and signs in", async () => {
    const { client, email_address } = await signedUp();
    const state = client.state();
    expect(state).toMatchObject({ status: "signed-in", user: { email_address, email_confirmed: false } });
    expect(await client.signOut()).toEqual({ message: "Logged out" });

    const { user, session } = signedInAs(await client.signIn({ email_address, password, remember: true }));
    expect(await client.showSession()).toEqual({ user, session });
    expect(await client.showUser()).toEqual({ user });
    const first = await client.token();
    expect(await client.reauthenticate({ password })).toMatchObject({ user, session: { id: session.id } });
    const before = await client.token();
    expect(before).not.toBe(first);
    await client.rotateSession();
    expect(await client.token()).not.toBe(before);
    expect((await client.listSessions()).sessions).toMatchObject([{ id: session.id, current: true }]);
    const { events } = await client.listEvents({ limit: 1 });
    expect(events).toMatchObject([{ event: "session_rotated", session_id: session.id }]);
    expect((await client.updateUser({ name: "One" })).user).toMatchObject({ name: "One" });
  });

  it("reports failures by field", async () => {
    const { email_address } = await signedUp();
    const client = clientOf();
    expect(await failureOf(client.signUp({ email_address, password }))).toMatchObject({
      status: 422,
      code: "account_not_created",
      message: "There was a problem creating your account",
    });
    expect(
      await failureOf(
        client.signUp({ email_address: "a", password: "short", password_confirmation: "other" }),
      ),
    ).toMatchObject({
      code: "validation_failed",
      fields: {
        email_address: ["is invalid"],
        password: ["is too short (minimum is 8 characters)"],
        password_confirmation: ["doesn't match Password"],
      },
    });
    expect(await failureOf(client.signIn({ email_address, password: "wrong" }))).toMatchObject({
      status: 401,
      code: "invalid_credentials",
    });
    expect((await failureOf(client.signIn({ email_address, password: "wrong" }))).requestId).toMatch(/\w/);
  });

  it("confirms and changes its address", async () => {
    const { client, email_address } = await signedUp();
    await client.requestConfirmation({ email_address });
    await client.confirmAddress({ token: await linkToken(server, email_address, "confirmations") });
    expect(client.state()).toMatchObject({ user: { email_confirmed: true } });

    const next = uniqueAddress();
    await client.changeAddress({ password_challenge: password, email_address: next });
    await client.confirmAddress({ token: await linkToken(server, next, "confirmations") });
    expect(client.state()).toMatchObject({ status: "signed-in", user: { email_address: next } });
  });

  it("changes and resets its password", async () => {
    const { client, email_address } = await signedUp();
    const changed = "another horse";
    expect(
      await failureOf(client.changePassword({ password_challenge: "wrong", password: changed })),
    ).toMatchObject({
      fields: { password_challenge: ["is incorrect"] },
    });
    await client.changePassword({ password_challenge: password, password: changed });
    // Under the new token that the reply contained.
    expect((await client.showUser()).user.email_address).toBe(email_address);

    await client.requestPasswordReset({ email_address });
    const token = await linkToken(server, email_address, "passwords");
    expect((await client.checkPasswordReset({ token })).email_address).toMatch(/^u.*@example\.com$/);
    expect(await client.resetPassword({ token, password })).toEqual({ message: "Password has been reset." });
    expect(client.state()).toEqual({ status: "signed-out", reason: "expired" });
    expect(await failureOf(client.checkPasswordReset({ token }))).toMatchObject({
      code: "link_invalid",
      errors: ["Password reset link is invalid or has expired."],
    });
    await client.signIn({ email_address, password });
  });

  it("ends its sessions and is deleted", async () => {
    const { client, email_address } = await signedUp();
    const [second, third] = [clientOf(), clientOf()];
    const { session } = signedInAs(await second.signIn({ email_address, password }));
    await third.signIn({ email_address, password });
    expect(await client.endSession({ id: session.id })).toBeUndefined();
    expect(await client.endSessions({ except: "current" })).toMatchObject({ sessions_ended: 1 });
    await expect(third.showUser()).rejects.toMatchObject({ code: "token_invalid" });
    expect(third.state()).toEqual({ status: "signed-out", reason: "expired" });
    expect(await failureOf(client.deleteAccount({ password_challenge: "wrong" }))).toMatchObject({
      status: 422,
    });
    await client.deleteAccount({ password_challenge: password });
    expect(client.state()).toEqual({ status: "signed-out", reason: "deleted" });
    expect(await failureOf(client.signIn({ email_address, password }))).toMatchObject({
      code: "invalid_credentials",
    });
  });
});

it("projects are created, listed, updated and deleted", async () => {
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
  expect(await failureOf(client.showProject({ id: hats.id }))).toMatchObject({
    status: 404,
    code: "not_found",
  });
  expect(await failureOf(client.createProject({ title: " " }))).toMatchObject({
    fields: { title: ["can't be blank"] },
  });
});

/** A store with a fixed API key. */
const storeWithKey = (key: string): TokenStore => ({ load: () => ({ token: key }), save() {} });

describe("an API key", () => {
  it("is created, limited by its scopes, renamed and revoked", async () => {
    const { client, email_address } = await signedUp();
    const scopes = ["projects:read", "user:read"];
    const wanted = { name: "Backup", scopes, expires_at: "never" };
    expect(await failureOf(client.createApiKey(wanted))).toMatchObject({
      fields: { password_challenge: ["can't be blank"] },
    });
    const { key, api_key } = await client.createApiKey({ ...wanted, password_challenge: password });
    expect(api_key.expires_at).toBeNull();
    expect(api_key).toMatchObject({ name: "Backup", prefix: "crk_", scopes });
    expect(key.endsWith(api_key.last_four)).toBe(true);

    const program = clientOf({ store: storeWithKey(key) });
    expect(await program.listProjects()).toEqual({ projects: [], next_cursor: null });
    expect(await program.restore()).toMatchObject({ user: { email_address }, session: null });
    expect(await failureOf(program.createProject({ title: "Coats" }))).toMatchObject({
      status: 403,
      code: "insufficient_scope",
    });
    expect(await failureOf(program.listApiKeys())).toMatchObject({ status: 403, code: "forbidden" });
    expect(program.state().status).toBe("signed-in");

    const { api_key: renamed } = await client.renameApiKey({ id: api_key.id, name: "Nightly" });
    expect(renamed.name).toBe("Nightly");
    expect(await client.revokeApiKey({ id: api_key.id })).toBeUndefined();
    expect((await client.listApiKeys()).api_keys).toMatchObject([{ name: "Nightly", id: api_key.id }]);
    expect(await failureOf(program.listProjects())).toMatchObject({ status: 401, code: "invalid_api_key" });
    expect(program.state()).toEqual({ status: "signed-out", reason: "expired" });
  });

  it("an API key without user:read is restricted", async () => {
    const { client } = await signedUp();
    const wanted = { name: "Narrow", scopes: ["projects:read"], password_challenge: password };
    const { key } = await client.createApiKey(wanted);
    const program = clientOf({ store: storeWithKey(key) });
    expect(await program.restore()).toMatchObject({
      status: "restricted",
      error: { code: "insufficient_scope" },
    });
    expect(await program.listProjects()).toEqual({ projects: [], next_cursor: null });
  });

  it("reports invalid fields at creation", async () => {
    const { client } = await signedUp();
    expect(
      await failureOf(client.createApiKey({ name: " ", scopes: ["Everything!"], expires_at: "tomorrow" })),
    ).toMatchObject({
      code: "validation_failed",
      fields: {
        name: ["can't be blank"],
        scopes: [expect.any(String)],
        expires_at: [expect.any(String)],
        password_challenge: [expect.any(String)],
      },
    });
  });
});

describe("a second factor", () => {
  it("is set up, required at sign-in and removed", async () => {
    const { client, email_address } = await signedUp();
    await failureOf(client.startTotp());
    await client.reauthenticate({ password });
    const { secret } = await client.startTotp();
    expect(await failureOf(client.enrolTotp({ code: "000 00" }))).toMatchObject({
      fields: { code: ["is incorrect"] },
    });
    const { recovery_codes } = await client.enrolTotp({ code: await previousTotpCode(secret) });
    expect(await client.listSecondFactors()).toMatchObject({
      factors: [{ kind: "totp" }],
      recovery_codes_left: recovery_codes.length,
    });

    await client.signOut();
    const result = await client.signIn({ email_address, password });
    expect(result).toMatchObject({ status: "second-factor", methods: ["totp_code", "recovery_code"] });
    expect(client.state()).toEqual(result);
    expect(await failureOf(client.presentSecondFactor({ totp_code: "000 00" }))).toMatchObject({
      status: 401,
      code: "invalid_code",
    });
    const { token, user } = await client.presentSecondFactor({ totp_code: totpCode(secret) });
    expect(await client.token()).toBe(token);
    expect(await client.showUser()).toEqual({ user });

    const [code = "", second = ""] = recovery_codes;
    await client.reauthenticate({ recovery_code: code });
    const { recovery_codes: next } = await client.replaceRecoveryCodes();
    const tokensClient = clientOf({ credentials: "tokens" });
    await tokensClient.signIn({ email_address, password });
    expect(await failureOf(tokensClient.presentSecondFactor({ recovery_code: second }))).toMatchObject({
      code: "invalid_code",
    });
    await tokensClient.presentSecondFactor({ recovery_code: next[0] ?? "" });
    expect(await tokensClient.token()).toMatch(/^eyJ/);
    expect((await tokensClient.showUser()).user.id).toBe(user.id);

    expect(await client.removeTotp()).toBeUndefined();
    expect((await client.signIn({ email_address, password })).status).toBe("signed-in");
  });

  it("five wrong codes end the sign-in", async () => {
    const { client, email_address } = await signedUp();
    const { secret } = await client.startTotp({ password_challenge: password });
    const code = await previousTotpCode(secret);
    const { recovery_codes } = await client.enrolTotp({ code, password_challenge: password });
    await client.signOut();
    await client.signIn({ email_address, password });
    for (let tries = 0; tries < 5; tries++) {
      await failureOf(client.presentSecondFactor({ totp_code: "000 00" }));
      expect(client.state().status).toBe("second-factor");
    }
    expect(
      await failureOf(client.presentSecondFactor({ recovery_code: recovery_codes[0] ?? "" })),
    ).toMatchObject({ status: 401, code: "pending_sign_in_invalid" });
    expect(client.state()).toEqual({ status: "signed-out", reason: "signed-out" });
  });
});

describe("tokens", () => {
  it("are issued, introspected, refreshed and revoked", async () => {
    const { client, email_address } = await signedUp();
    const narrow = await client.createTokens({ scope: "projects:read" });
    expect(narrow).toMatchObject({ token_type: "Bearer", scope: "projects:read" });
    const wide = await clientOf().createTokens({ email_address, password });
    expect(wide.scope).toBe("projects:read projects:write user:read");
    expect(await failureOf(client.createTokens({ scope: "all:all" }))).toMatchObject({
      code: "invalid_scope",
    });
    expect(await failureOf(client.createTokens({ email_address, password: "wrong" }))).toMatchObject({
      code: "invalid_credentials",
    });
    expect(client.state().status).toBe("signed-in");

    const { key } = await client.createApiKey({
      name: "Gateway",
      scopes: ["introspect"],
      password_challenge: password,
    });
    const gateway = clientOf({ store: storeWithKey(key) });
    const narrowed = await gateway.introspect({ token: narrow.access_token });
    expect(narrowed).toMatchObject({ active: true, credential: "access_token", scope: "projects:read" });
    // Not before the address is verified.
    expect(narrowed).not.toHaveProperty("username");
    const next = await client.refreshTokens({ refresh_token: narrow.refresh_token ?? "" });
    expect(next.refresh_token).not.toBe(narrow.refresh_token);
    await client.revokeToken({ token: next.access_token });
    expect(await gateway.introspect({ token: next.access_token })).toEqual({ active: false });
    expect(await gateway.introspect({ token: narrow.access_token })).toMatchObject({ active: true });
    await client.revokeToken({ token: key });
    expect(await failureOf(gateway.introspect({ token: key }))).toMatchObject({ code: "invalid_api_key" });
  });

  it("are verified by public keys and by /v1/verify", async () => {
    const { client } = await signedUp({ credentials: "tokens" });
    const [head = ""] = ((await client.token()) ?? "").split(".");
    const { kid } = JSON.parse(Buffer.from(head, "base64url").toString());
    expect((await clientOf().listKeys()).keys).toMatchObject([{ kid, kty: "OKP", crv: "Ed25519" }]);
    await client.verify({ scope: "projects:read" });
    expect(await failureOf(client.verify({ scope: "orders:read" }))).toMatchObject({
      status: 403,
      code: "insufficient_scope",
    });
    await expect(clientOf().verify()).rejects.toMatchObject({ code: "unauthorized" });
  });
});

it("a custom request carries the credential", async () => {
  const { client } = await signedUp();
  expect(await client.request("GET", "/v1/projects", { query: { limit: 1 } })).toHaveProperty("projects");
});

it("cookie mode restores the session without a token", async () => {
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
  const { client, email_address } = await signedUp({ credentials: "cookie", fetch: browser });
  expect([...jar.keys()]).toEqual(["cloakroom"]);
  await client.createProject({ title: "Coats" });

  // Cookie mode issues an access token only: a script could read a refresh token.
  const pair = await client.createTokens();
  expect(pair).not.toHaveProperty("refresh_token");

  const reloaded = clientOf({ credentials: "cookie", fetch: browser });
  expect((await reloaded.restore()).status).toBe("signed-in");
  const { secret } = await reloaded.startTotp({ password_challenge: password });
  const code = await previousTotpCode(secret);
  await reloaded.enrolTotp({ code, password_challenge: password });
  await reloaded.signOut();
  expect(jar.size).toBe(0);
  const withFactor = await reloaded.signIn({ email_address, password });
  expect([withFactor.status, jar.size]).toEqual(["second-factor", 0]);
  await reloaded.presentSecondFactor({ totp_code: totpCode(secret) });
  expect(jar.size).toBe(1);
  await reloaded.signOut();
  expect(jar.size).toBe(0);
  await expect(client.showUser()).rejects.toMatchObject({ code: "unauthorized" });
  expect(client.state()).toEqual({ status: "signed-out", reason: "expired" });
  expect(bodies.join("\n")).not.toMatch(/crs_/);
});

describe("passkeys", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("replace a password", async () => {
    const [laptop, phone] = [new SoftwareAuthenticator(origin), new SoftwareAuthenticator(origin)];
    laptop.install();
    const client = clientOf();
    const email_address = uniqueAddress();
    const signedUp = await signUpWithPasskey(client, { email_address, name: "Laptop" });
    expect(signedUp).toMatchObject({ status: "signed-up", user: { email_address } });
    await client.signOut();
    expect(await signInWithPasskey(client, { remember: true })).toMatchObject({ status: "signed-in" });
    expect(client.state()).toMatchObject({ status: "signed-in", user: { email_address } });

    const unproved = await failureOf(addPasskey(client));
    expect(unproved.fields).toEqual({ password_challenge: ["can't be blank"] });
    expect(await reauthenticateWithPasskey(client)).toMatchObject({ status: "reauthenticated" });
    expect(await addPasskey(client)).toEqual({ status: "already-registered" });
    phone.install();
    expect(await addPasskey(client, { name: "Phone" })).toMatchObject({
      status: "added",
      passkey: { name: "Phone", backed_up: false, last_used_at: null },
    });
    const { passkeys, rp_id } = await listPasskeys(client);
    expect([rp_id, ...passkeys.map(({ name }) => name)]).toEqual(["localhost", "Phone", "Laptop"]);
    const [added = expect.fail(), first = expect.fail()] = passkeys;
    const { passkey } = await client.renamePasskey({ id: added.id, name: "Old phone" });
    expect(passkey).toEqual({ ...added, name: "Old phone" });
    await client.removePasskey({ id: first.id });
    expect((await failureOf(client.removePasskey({ id: added.id }))).code).toBe("last_sign_in_method");
    laptop.install();
    expect((await failureOf(signInWithPasskey(clientOf()))).code).toBe("passkey_unknown");
  });

  it("stand beside a password, and are a second factor", async () => {
    new SoftwareAuthenticator(origin).install();
    const { client, email_address } = await signedUp();
    const hasPassword = async () => (await client.listSecondFactors()).has_password;
    await client.reauthenticate({ password });
    expect(await addPasskey(client)).toMatchObject({ status: "added", passkey: { name: "Passkey" } });
    const before = await client.token();
    await client.removePassword();
    expect(await client.token()).not.toBe(before);
    expect(await hasPassword()).toBe(false);
    await reauthenticateWithPasskey(client);
    await client.changePassword({ password });
    expect(await hasPassword()).toBe(true);

    const { secret } = await client.startTotp({ password_challenge: password });
    const code = await previousTotpCode(secret);
    await client.enrolTotp({ code, password_challenge: password });
    await client.signOut();
    const required = await client.signIn({ email_address, password });
    expect(required).toMatchObject({ methods: ["totp_code", "recovery_code", "passkey"] });
    expect(await presentPasskey(client)).toMatchObject({ status: "signed-in" });
    expect(client.state().status).toBe("signed-in");
  });
});

it("a mailed code signs in", async () => {
  const { email_address } = await signedUp();
  const client = clientOf();
  const { request_token } = await client.requestMailCode({ email_address });
  const token = await linkToken(server, email_address, "session/code");
  const { code, signs_in } = await client.checkMailLink({ token });
  expect([code, signs_in]).toEqual([expect.stringMatching(/^\d{8}$/), false]);
  const wrong = code === "00000000" ? "00000001" : "00000000";
  expect(await failureOf(client.signIn({ request_token, code: wrong }))).toMatchObject({
    status: 401,
    code: "invalid_code",
  });
  const { user } = signedInAs(await client.signIn({ request_token, code }));
  expect(user).toMatchObject({ email_address, email_confirmed: true });
  expect(await client.showUser()).toEqual({ user });
  expect((await failureOf(client.checkMailLink({ token }))).code).toBe("link_invalid");
});

it("without providers no identity signs in or is linked", async () => {
  const { client } = await signedUp();
  const [unknown, invalid] = [
    { status: 404, code: "not_found" },
    { status: 401, code: "exchange_code_invalid" },
  ];
  const exchange_code = "made-up";
  expect(await client.listProviders()).toEqual({ providers: [] });
  expect(await failureOf(client.startProviderSignIn({ provider: "acme" }))).toMatchObject(unknown);
  expect(await failureOf(client.exchangeProviderSignIn({ exchange_code }))).toMatchObject(invalid);
  const link = { token: "made-up" };
  expect((await failureOf(client.checkIdentityLink(link))).code).toBe("link_invalid");
  expect((await failureOf(client.finishIdentityLink(link))).code).toBe("link_invalid");

  const proof = { password_challenge: password };
  expect(await client.listIdentities()).toEqual({ identities: [] });
  expect(await failureOf(client.startLinking({ id: "acme", ...proof }))).toMatchObject(unknown);
  expect(await failureOf(client.linkIdentity({ exchange_code }))).toMatchObject(invalid);
  expect(await failureOf(client.unlinkIdentity({ id: 1, ...proof }))).toMatchObject(unknown);
  expect(client.state().status).toBe("signed-in");
});

it("a throttled sign-in is unlocked by the mailed link", async () => {
  const throttled = await TestServer.start({
    CLOAKROOM__THROTTLE__ENABLED: "true",
    CLOAKROOM__THROTTLE__ADDRESS_FAILURES: "2 in 1h",
  });
  try {
    const client = clientOf({}, throttled.url);
    const email_address = uniqueAddress();
    await client.signUp({ email_address, password });
    for (let tries = 0; tries < 2; tries++) {
      await failureOf(client.signIn({ email_address, password: "wrong" }));
    }
    const error = await failureOf(client.signIn({ email_address, password }));
    expect(error).toMatchObject({ status: 429, code: "rate_limited", message: "Try again later." });
    expect(error.retryAfter).toBeGreaterThan(0);
    await client.unlock({ token: await linkToken(throttled, email_address, "unlocks") });
    await client.signIn({ email_address, password });
  } finally {
    await throttled.stop();
  }
});

it("a restarted server is reachable again", async () => {
  const stopped = await TestServer.start();
  try {
    const client = clientOf({}, stopped.url);
    expect(await client.ready()).toEqual({ status: "ready" });
    expect(await client.up()).toEqual({ status: "up" });
    await client.signUp({ email_address: uniqueAddress(), password });
    await stopped.pause();
    expect(await failureOf(client.showUser())).toMatchObject({ status: 0, code: "network_error" });
    expect(client.state().status).toBe("signed-in");
    await stopped.restart();
    await client.showUser();
  } finally {
    await stopped.stop();
  }
});

it("every operation was called", () => {
  expect(Object.keys(routes).filter((id) => !called.has(id))).toEqual([]);
});
