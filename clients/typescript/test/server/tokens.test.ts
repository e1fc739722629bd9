// The life of a pair of tokens, from the sign-in to its end, with the real server. Its access tokens last as short as
// the server allows.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ClientOptions, createClient, memoryStore } from "../../src/index.js";
import { House } from "../house.js";

const password = "correct horse";
/** The lifetime of an access token, and as long as the same refresh token gives the same pair again. */
const lifetime = 10_000;
let house: House;
let people = 0;

beforeAll(async () => {
  house = await House.start({ CLOAKROOM__TOKENS__ACCESS_LIFETIME: `${lifetime / 1000}s` });
});
afterAll(() => house.stop());

/** A client in tokens mode of somebody who has an account, and what it asks of the server. */
async function newcomer() {
  const email_address = `someone-${++people}@example.com`;
  await createClient({ url: house.url }).signUp({ email_address, password });
  const asked: string[] = [];
  const store = memoryStore();
  const options: ClientOptions = {
    url: house.url,
    credentials: "tokens",
    store,
    fetch: (input, init) => {
      asked.push(new URL(String(input)).pathname);
      return fetch(input, init);
    },
  };
  const client = createClient(options);
  await client.signIn({ email_address, password });
  return {
    client,
    email_address,
    /** Another one that shares the store, as a second tab does. */
    beside: () => createClient(options),
    ticket: async () => (await store.load()) ?? expect.fail("nothing is kept"),
    refreshes: () => asked.filter((path) => path === "/v1/tokens/refresh").length,
  };
}

/** One that has this token and nothing that renews it. */
const bearing = (token: string) =>
  createClient({ url: house.url, store: { load: () => ({ token }), save() {} } });

it("an expired token is renewed silently and once, and a stolen one ends it all", {
  timeout: 30_000,
}, async () => {
  const { client, email_address, ticket, refreshes } = await newcomer();
  const first = await ticket();
  expect(first.token).toMatch(/^eyJ/);
  expect(first.refresh).toMatch(/^crr_/);
  await client.createProject({ title: "Coats" });
  expect(refreshes()).toBe(0);

  await client.revokeToken({ token: first.token });
  const replies = await Promise.all(Array.from({ length: 50 }, () => client.listProjects()));
  expect(replies.every(({ projects }) => projects.length === 1)).toBe(true);
  expect(refreshes()).toBe(1);
  const second = await ticket();

  await sleep(lifetime + 200);
  await expect(bearing(second.token).listProjects()).rejects.toMatchObject({ code: "token_expired" });
  await Promise.all([client.listProjects(), client.showUser()]);
  expect(refreshes()).toBe(2);
  expect(client.state()).toMatchObject({ status: "signed-in", user: { email_address } });

  const thief = createClient({ url: house.url });
  await expect(thief.refreshTokens({ refresh_token: first.refresh ?? "" })).rejects.toMatchObject({
    status: 400,
    code: "invalid_grant",
  });
  await expect(client.listProjects()).rejects.toMatchObject({ status: 401 });
  expect(client.state()).toEqual({ status: "signed-out", why: "expired" });
  expect(await client.token()).toBeNull();
  await house.letter(email_address, /used a refresh token a second time/);
});

it("two tabs that renew at once are both let in", async () => {
  const { client, beside, ticket, refreshes } = await newcomer();
  const other = beside();
  await client.revokeToken({ token: (await ticket()).token });
  await Promise.all([client.listProjects(), other.listProjects()]);
  expect(refreshes()).toBeLessThanOrEqual(2);
  await client.listProjects();
  expect(client.state().status).toBe("signed-in");
});

it("a sign-out ends the session on the server, and all that came of it", async () => {
  const { client, email_address, ticket } = await newcomer();
  const observer = createClient({ url: house.url });
  await observer.signIn({ email_address, password });
  const before = (await observer.listSessions()).sessions.length;
  const { token, refresh = "" } = await ticket();
  await client.signOut();
  expect(client.state()).toEqual({ status: "signed-out", why: "signed-out" });
  expect((await observer.listSessions()).sessions).toHaveLength(before - 1);
  await expect(observer.refreshTokens({ refresh_token: refresh })).rejects.toMatchObject({
    code: "invalid_grant",
  });
  await expect(bearing(token).showUser()).rejects.toMatchObject({ code: "token_invalid" });
});

it("the account is managed with another credential, and asking with a token signs nobody out", async () => {
  const { client, refreshes } = await newcomer();
  await expect(client.listSessions()).rejects.toMatchObject({ status: 403, code: "forbidden" });
  await expect(client.changePassword({ password: "another horse" })).rejects.toMatchObject({ status: 403 });
  expect(client.state().status).toBe("signed-in");
  expect(refreshes()).toBe(0);
});

it("a session that is ended elsewhere ends here at the next request", async () => {
  const { client, email_address } = await newcomer();
  const other = createClient({ url: house.url });
  await other.signIn({ email_address, password });
  await other.endSessions({ except: "current" });
  await expect(client.listProjects()).rejects.toMatchObject({ status: 401 });
  expect(client.state()).toEqual({ status: "signed-out", why: "expired" });
});
