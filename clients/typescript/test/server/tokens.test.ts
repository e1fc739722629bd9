// The lifecycle of access and refresh tokens against the real server, with the shortest access lifetime it allows.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ClientOptions, createClient, memoryStore } from "../../src/index.js";
import { TestServer } from "../test-server.js";

const password = "correct horse";
/** Milliseconds an access token is valid, and for which a used refresh token returns the same pair again. */
const lifetime = 10_000;
let server: TestServer;
let userCount = 0;

beforeAll(async () => {
  server = await TestServer.start({ CLOAKROOM__TOKENS__ACCESS_LIFETIME: `${lifetime / 1000}s` });
});
afterAll(() => server.stop());

/** A signed-in client in tokens mode that records its requests. */
async function signedInClient() {
  const email_address = `user-${++userCount}@example.com`;
  await createClient({ url: server.url }).signUp({ email_address, password });
  const paths: string[] = [];
  const store = memoryStore();
  const options: ClientOptions = {
    url: server.url,
    credentials: "tokens",
    store,
    fetch: (input, init) => {
      paths.push(new URL(String(input)).pathname);
      return fetch(input, init);
    },
  };
  const client = createClient(options);
  await client.signIn({ email_address, password });
  return {
    client,
    email_address,
    /** A second client with the same store, like a second tab. */
    secondTab: () => createClient(options),
    stored: async () => (await store.load()) ?? expect.fail("the store is empty"),
    refreshes: () => paths.filter((path) => path === "/v1/tokens/refresh").length,
  };
}

/** A client with this access token and no refresh token. */
const withToken = (token: string) =>
  createClient({ url: server.url, store: { load: () => ({ token }), save() {} } });

it("refreshes once; a replayed refresh token ends the session", async () => {
  const { client, email_address, stored, refreshes } = await signedInClient();
  const first = await stored();
  expect(first.token).toMatch(/^eyJ/);
  expect(first.refresh).toMatch(/^crr_/);
  await client.createProject({ title: "Coats" });
  expect(refreshes()).toBe(0);

  await client.revokeToken({ token: first.token });
  const replies = await Promise.all(Array.from({ length: 50 }, () => client.listProjects()));
  expect(replies.every(({ projects }) => projects.length === 1)).toBe(true);
  expect(refreshes()).toBe(1);
  const second = await stored();

  await sleep(lifetime + 200);
  await expect(withToken(second.token).listProjects()).rejects.toMatchObject({ code: "token_expired" });
  await Promise.all([client.listProjects(), client.showUser()]);
  expect(refreshes()).toBe(2);
  expect(client.state()).toMatchObject({ status: "signed-in", user: { email_address } });

  const attacker = createClient({ url: server.url });
  await expect(attacker.refreshTokens({ refresh_token: first.refresh ?? "" })).rejects.toMatchObject({
    status: 400,
    code: "invalid_grant",
  });
  await expect(client.listProjects()).rejects.toMatchObject({ status: 401 });
  expect(client.state()).toEqual({ status: "signed-out", reason: "expired" });
  expect(await client.token()).toBeNull();
  await server.waitForMail(email_address, /refresh token/);
});

it("two tabs can refresh at the same time", async () => {
  const { client, secondTab, stored, refreshes } = await signedInClient();
  const other = secondTab();
  await client.revokeToken({ token: (await stored()).token });
  await Promise.all([client.listProjects(), other.listProjects()]);
  expect(refreshes()).toBeLessThanOrEqual(2);
  await client.listProjects();
  expect(client.state().status).toBe("signed-in");
});

it("sign-out ends the session and its tokens on the server", async () => {
  const { client, email_address, stored } = await signedInClient();
  const observer = createClient({ url: server.url });
  await observer.signIn({ email_address, password });
  const before = (await observer.listSessions()).sessions.length;
  const { token, refresh = "" } = await stored();
  await client.signOut();
  expect(client.state()).toEqual({ status: "signed-out", reason: "signed-out" });
  expect((await observer.listSessions()).sessions).toHaveLength(before - 1);
  await expect(observer.refreshTokens({ refresh_token: refresh })).rejects.toMatchObject({
    code: "invalid_grant",
  });
  await expect(withToken(token).showUser()).rejects.toMatchObject({ code: "token_invalid" });
});

it("a forbidden request does not sign the client out", async () => {
  const { client, refreshes } = await signedInClient();
  await expect(client.listSessions()).rejects.toMatchObject({ status: 403, code: "forbidden" });
  await expect(client.changePassword({ password: "another horse" })).rejects.toMatchObject({ status: 403 });
  expect(client.state().status).toBe("signed-in");
  expect(refreshes()).toBe(0);
});

it("a session ended elsewhere signs out at the next request", async () => {
  const { client, email_address } = await signedInClient();
  const other = createClient({ url: server.url });
  await other.signIn({ email_address, password });
  await other.endSessions({ except: "current" });
  await expect(client.listProjects()).rejects.toMatchObject({ status: 401 });
  expect(client.state()).toEqual({ status: "signed-out", reason: "expired" });
});
