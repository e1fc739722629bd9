import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ClientOptions, createClient, memoryStore, sessionStore } from "../../src/index.js";
import {
  createVerifier,
  finishProviderReturn,
  linkProvider,
  signInWithProvider,
  takeProviderReturn,
} from "../../src/providers/index.js";
import { FakePage } from "./fake-page.js";
import {
  type Answer,
  currentSession,
  failure,
  fakeServer,
  json,
  offline,
  type SeenRequest,
  secondFactorRequired,
  signedIn,
  tokenPair,
  url,
} from "./fake-server.js";

const authorization_url = "https://id.example.com/authorize?state=one";
const code = "exchange_code=cre_one";
const identity = {
  id: 3,
  provider: "acme",
  email: "ada@example.com",
  created_at: "2026-01-31T09:30:00.000Z",
  last_used_at: "2026-01-31T09:30:00.000Z",
};

let page: FakePage;
beforeEach(() => {
  page = new FakePage();
  page.install();
});
afterEach(() => vi.unstubAllGlobals());

function setup(
  options: Partial<ClientOptions> = { credentials: "cookie" },
  answers: Record<string, (seen: SeenRequest) => Answer> = {},
) {
  const own: typeof answers = {
    "POST /v1/session/identity/acme": () => json({ authorization_url }),
    "POST /v1/session/exchange": () => json(signedIn()),
    "POST /v1/user/identities/acme": () => json({ authorization_url }),
    "POST /v1/user/identities": () => json({ identity }, 201),
  };
  const server = fakeServer((seen) => {
    const request = `${seen.method} ${seen.path}`;
    return (answers[request] ?? own[request] ?? (() => expect.fail(request)))(seen);
  });
  const client = createClient({ url, fetch: server.fetch, channel: false, ...options } as ClientOptions);
  return { ...server, client };
}

const taken = () => takeProviderReturn() ?? expect.fail("nothing in the address");

describe("a sign-in", () => {
  it("leaves the page, and is finished when the browser is back", async () => {
    const { client, seen } = setup();
    const redirect_to = "https://app.example.com/sign-in/provider";
    await signInWithProvider(client, { provider: "acme", redirect_to, remember: true, return_to: "/orders" });
    expect(page.left).toEqual([authorization_url]);
    expect(seen[0]).toMatchObject({ body: { redirect_to }, init: { credentials: "include" } });

    page.comesBackWith(code);
    const returned = taken();
    expect(returned).toMatchObject({ provider: "acme", links: false, return_to: "/orders" });
    const result = await finishProviderReturn(client, returned);
    expect(result).toEqual({ status: "signed-in", ...signedIn() });
    expect(client.state()).toEqual({ status: "signed-in", ...currentSession() });
    expect(seen[1]).toMatchObject({
      path: "/v1/session/exchange",
      body: { exchange_code: "cre_one", remember: true, transport: "cookie" },
      init: { credentials: "include" },
    });
  });

  it("takes the code out of the address, once, and keeps the state of the history", () => {
    page.comesBackWith(code);
    expect(taken()).toEqual({ exchange_code: "cre_one" });
    expect(page.replaced).toEqual([[{ idx: 0 }, "", "/sign-in/provider?lang=en"]]);
    expect(takeProviderReturn()).toBeNull();
    expect(page.replaced).toHaveLength(1);
  });

  it("goes on with a second factor", async () => {
    const { client } = setup(undefined, { "POST /v1/session/exchange": () => secondFactorRequired() });
    page.comesBackWith(code);
    const result = await finishProviderReturn(client, taken());
    expect(result).toMatchObject({ status: "second-factor", methods: ["totp_code", "recovery_code"] });
    expect(client.state()).toEqual(result);
  });

  it("is refused by the provider", async () => {
    const { client, seen } = setup();
    await signInWithProvider(client, { provider: "acme" });
    page.comesBackWith("error=access_denied");
    const result = await finishProviderReturn(client, taken());
    expect(result).toEqual({ status: "refused", reason: "access_denied" });
    expect(seen).toHaveLength(1);
    expect(page.stored.size).toBe(0);
  });

  it("is refused by the server, with a code", async () => {
    const { client } = setup(undefined, {
      "POST /v1/session/exchange": () => failure(409, "account_exists"),
    });
    page.comesBackWith(code);
    await expect(finishProviderReturn(client, taken())).rejects.toMatchObject({ code: "account_exists" });
    expect(client.state().status).toBe("loading");
  });

  it("can be finished again when the server was not reached", async () => {
    const answers = [offline, () => json(signedIn())];
    const { client } = setup(undefined, {
      "POST /v1/session/exchange": () => (answers.shift() ?? expect.fail("sent again"))(),
    });
    page.comesBackWith(code);
    const returned = taken();
    await expect(finishProviderReturn(client, returned)).rejects.toMatchObject({ code: "network_error" });
    expect(await finishProviderReturn(client, returned)).toMatchObject({ status: "signed-in" });
  });

  it("stays on the page when it is refused or aborted", async () => {
    const { client } = setup(undefined, {
      "POST /v1/session/identity/acme": () =>
        failure(503, "provider_unavailable", {}, { "Retry-After": "30" }),
    });
    await expect(signInWithProvider(client, { provider: "acme" })).rejects.toMatchObject({ retryAfter: 30 });
    const controller = new AbortController();
    const aborted = setup().client;
    const leaving = signInWithProvider(aborted, { provider: "acme" }, { signal: controller.signal });
    controller.abort();
    await expect(leaving).rejects.toThrow("aborted");
    expect(page.left).toEqual([]);
    expect(page.stored.size).toBe(0);
  });

  it("works in cookie mode without storage", async () => {
    vi.stubGlobal("sessionStorage", undefined);
    const { client } = setup();
    await signInWithProvider(client, { provider: "acme" });
    page.comesBackWith(code);
    expect(await finishProviderReturn(client, taken())).toMatchObject({ status: "signed-in" });
  });
});

describe("without cookies", () => {
  it("a verifier that stays in the tab takes their place", async () => {
    const store = memoryStore();
    const { client, seen } = setup(
      { store },
      { "POST /v1/session/exchange": () => json(signedIn("crs_one")) },
    );
    await signInWithProvider(client, { provider: "acme" });
    page.comesBackWith(code);
    await finishProviderReturn(client, taken());
    const [start, exchange] = seen.map(({ body }) => body as Record<string, string>);
    expect(start).toEqual({ code_challenge: expect.stringMatching(/^[\w-]{43}$/) });
    expect(exchange).toMatchObject({ code_verifier: expect.stringMatching(/^[\w-]{43}$/) });
    const verifier = new TextEncoder().encode(exchange?.code_verifier);
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", verifier)).toString("base64url");
    expect(start?.code_challenge).toBe(digest);
    expect(store.load()).toEqual({ token: "crs_one" });
    expect(page.stored.size).toBe(0);
  });

  it("the session is exchanged for tokens in tokens mode", async () => {
    const { client, seen } = setup(
      { credentials: "tokens" },
      {
        "POST /v1/session/exchange": () => json(signedIn("crs_one")),
        "POST /v1/tokens": () => json(tokenPair(1)),
        "GET /v1/session": () => json(currentSession()),
      },
    );
    page.comesBackWith(code);
    await finishProviderReturn(client, taken());
    expect(seen.map(({ path }) => path)).toEqual(["/v1/session/exchange", "/v1/tokens", "/v1/session"]);
    expect(await client.token()).toBe("eyJaccess1");
  });

  it("each verifier is another", async () => {
    const [one, other] = [await createVerifier(), await createVerifier()];
    expect(one.code_verifier).not.toBe(other.code_verifier);
  });
});

describe("linking", () => {
  it("is started with the password, and finished for the signed-in user", async () => {
    const { client, seen } = setup();
    await linkProvider(client, { provider: "acme", password_challenge: "correct horse" });
    expect(seen[0]?.body).toEqual({ password_challenge: "correct horse" });
    expect(page.left).toEqual([authorization_url]);
    page.comesBackWith(code);
    const returned = taken();
    expect(returned).toMatchObject({ provider: "acme", links: true });
    expect(await finishProviderReturn(client, returned)).toEqual({ status: "linked", identity });
    expect(seen[1]).toMatchObject({ path: "/v1/user/identities", body: { exchange_code: "cre_one" } });
  });

  it("is refused when the account belongs to another user", async () => {
    const { client } = setup(undefined, { "POST /v1/user/identities": () => failure(409, "identity_taken") });
    await linkProvider(client, { provider: "acme" });
    page.comesBackWith(code);
    await expect(finishProviderReturn(client, taken())).rejects.toMatchObject({ code: "identity_taken" });
  });

  it("sends the token of a store that outlives the page", async () => {
    const store = sessionStore();
    await store.save({ token: "crs_kept" });
    const { client, seen } = setup({ store });
    await linkProvider(client, { provider: "acme" });
    page.comesBackWith(code);
    await finishProviderReturn(client, taken());
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(["Bearer crs_kept", "Bearer crs_kept"]);
    expect(seen[1]?.body).toMatchObject({ code_verifier: expect.any(String) });
  });
});

it("a mailed link signs in, perhaps after a second factor", async () => {
  const replies = [json(signedIn()), secondFactorRequired()];
  const { client, seen } = setup(undefined, {
    "POST /v1/session/identity_link": () => replies.shift() ?? expect.fail("sent again"),
  });
  const token = "AQAA.bbbb";
  expect(await client.finishIdentityLink({ token })).toMatchObject({ status: "signed-in" });
  expect(seen[0]).toMatchObject({ body: { token, transport: "cookie" }, init: { credentials: "include" } });
  expect(client.state().status).toBe("signed-in");
  expect(await client.finishIdentityLink({ token })).toMatchObject({ status: "second-factor" });
  expect(client.state().status).toBe("second-factor");
});

it("a later sign-in replaces what an earlier one left", async () => {
  const { client } = setup();
  await linkProvider(client, { provider: "acme" });
  await signInWithProvider(client, { provider: "acme" });
  page.comesBackWith(code);
  expect(taken().links).toBe(false);
});
