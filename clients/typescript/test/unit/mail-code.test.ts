import { expect, it } from "vitest";
import { createClient, memoryStore } from "../../src/index.js";
import {
  currentSession,
  fakeServer,
  json,
  secondFactorRequired,
  signedIn,
  tokenPair,
  url,
} from "./fake-server.js";

const byCode = { request_token: "crm_one", code: "01234567" };
const byLink = { link_token: "AQAA.bbbb" };

it("asks for a mail without a credential", async () => {
  const reply = { request_token: "crm_one", expires_at: "2026-01-31T09:40:00.000Z" };
  const server = fakeServer(() => json(reply, 202));
  const store = memoryStore();
  void store.save({ token: "crs_kept" });
  const client = createClient({ url, fetch: server.fetch, store });
  expect(await client.requestMailCode({ email_address: "user-1@example.com" })).toEqual(reply);
  expect(server.seen[0]).toMatchObject({
    method: "POST",
    path: "/v1/session/code",
    body: { email_address: "user-1@example.com" },
  });
  expect(server.seen[0]?.headers.authorization).toBeUndefined();
});

it.each([byCode, byLink])("signs in with %j", async (input) => {
  const server = fakeServer(() => json(signedIn("crs_one")));
  const store = memoryStore();
  const client = createClient({ url, fetch: server.fetch, store });
  expect(await client.signIn(input)).toMatchObject({ status: "signed-in", token: "crs_one" });
  expect(server.seen[0]).toMatchObject({ path: "/v1/session", body: input });
  expect(client.state().status).toBe("signed-in");
  expect(await store.load()).toEqual({ token: "crs_one" });
});

it.each([byCode, byLink])("exchanges the session for tokens after %j", async (input) => {
  const server = fakeServer(({ method, path }) => {
    if (path === "/v1/tokens") {
      return json(tokenPair(1));
    }
    return json(method === "POST" ? signedIn("crs_one") : currentSession());
  });
  const store = memoryStore();
  const client = createClient({ url, fetch: server.fetch, store, credentials: "tokens" });
  await client.signIn(input);
  expect(server.seen.map(({ path }) => path)).toEqual(["/v1/session", "/v1/tokens", "/v1/session"]);
  expect(server.seen[1]?.headers.authorization).toBe("Bearer crs_one");
  expect(await store.load()).toEqual({ token: "eyJaccess1", refresh: "crr_refresh1" });
});

it("asks for the cookie in cookie mode, and for a second factor", async () => {
  const server = fakeServer(() => secondFactorRequired());
  const client = createClient({ url, fetch: server.fetch, credentials: "cookie", channel: false });
  expect((await client.signIn(byLink)).status).toBe("second-factor");
  expect(server.seen[0]).toMatchObject({ body: { ...byLink, transport: "cookie" } });
  expect(server.seen[0]?.init.credentials).toBe("include");
});
