import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createClient, memoryStore } from "../../src/index.js";
import {
  addPasskey,
  autofillSupported,
  createPasskey,
  getPasskey,
  listPasskeys,
  passkeysSupported,
  presentPasskey,
  reauthenticateWithPasskey,
  signInWithPasskey,
  signUpWithPasskey,
} from "../../src/passkeys/index.js";
import { assertion, creationOptions, FakeBrowser, registration, requestOptions } from "./fake-browser.js";
import {
  type Answer,
  currentSession,
  failure,
  fakeServer,
  json,
  type SeenRequest,
  secondFactorRequired,
  signedIn,
  signInInput,
  url,
  user,
} from "./fake-server.js";

const passkey = {
  id: 3,
  credential_id: "AQID",
  name: "Laptop",
  created_at: "2026-01-31T09:30:00.000Z",
  last_used_at: null,
  backed_up: true,
};
const list = { passkeys: [passkey], rp_id: "localhost", user_handle: "BAUG" };

let browser: FakeBrowser;
beforeEach(() => {
  browser = new FakeBrowser();
  browser.install();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function setup(answers: Record<string, (seen: SeenRequest) => Answer> = {}) {
  const own: typeof answers = {
    "POST /v1/session": () => secondFactorRequired(),
    "POST /v1/session/passkey/options": () => json(requestOptions),
    "POST /v1/session/passkey": () => json(signedIn("crs_one")),
    "POST /v1/session/second_factor": () => json(signedIn("crs_one")),
    "POST /v1/session/reauthenticate": () => json(signedIn("crs_two")),
    "POST /v1/registrations/passkey/options": () => json(creationOptions),
    "POST /v1/registrations": () => json(signedIn("crs_one"), 201),
    "POST /v1/user/passkeys/options": () => json(creationOptions),
    "POST /v1/user/passkeys": () => json({ passkey }, 201),
    "GET /v1/user/passkeys": () => json(list),
    "GET /v1/session": () => json(currentSession()),
  };
  const server = fakeServer((seen) => {
    const request = `${seen.method} ${seen.path}`;
    return (answers[request] ?? own[request] ?? (() => expect.fail(request)))(seen);
  });
  const store = memoryStore();
  const client = createClient({ url, fetch: server.fetch, store });
  return { ...server, client, store };
}

describe("signing in by a passkey", () => {
  it("sends what the authenticator returned, and is signed in", async () => {
    const { client, seen, store } = setup();
    const result = await signInWithPasskey(client, { remember: true });
    expect(result).toEqual({ status: "signed-in", ...signedIn("crs_one") });
    expect(client.state()).toEqual({ status: "signed-in", ...currentSession() });
    expect(store.load()).toEqual({ token: "crs_one" });
    expect(seen.map(({ path }) => path)).toEqual(["/v1/session/passkey/options", "/v1/session/passkey"]);
    expect(seen[1]?.body).toEqual({ credential: assertion, remember: true });
    expect(browser.requests).toMatchObject([{ publicKey: requestOptions }]);
    expect(browser.requests[0]).not.toHaveProperty("mediation");
  });

  it("asks for the cookie in cookie mode", async () => {
    const { fetch, seen } = fakeServer(({ path }) =>
      json(path.endsWith("options") ? requestOptions : signedIn()),
    );
    const client = createClient({ url, fetch, credentials: "cookie" });
    await signInWithPasskey(client);
    expect(seen[1]?.body).toMatchObject({ remember: false, transport: "cookie" });
  });

  it.each([
    ["NotAllowedError", { status: "cancelled" }],
    ["SecurityError", { status: "unsupported", cause: expect.objectContaining({ name: "SecurityError" }) }],
  ])("is no error when the prompt ends with %s", async (name, outcome) => {
    browser.answer = () => Promise.reject(new DOMException("", name));
    const { client, seen } = setup();
    expect(await signInWithPasskey(client)).toEqual(outcome);
    expect(seen).toHaveLength(1);
    expect(client.state().status).toBe("loading");
  });

  it("is unsupported where the browser has no passkeys", async () => {
    vi.stubGlobal("PublicKeyCredential", undefined);
    expect(passkeysSupported()).toBe(false);
    expect(await autofillSupported()).toBe(false);
    expect(await signInWithPasskey(setup().client)).toEqual({ status: "unsupported" });
  });

  it("tells password managers of a passkey that is unknown here", async () => {
    const { client } = setup({ "POST /v1/session/passkey": () => failure(401, "passkey_unknown") });
    await expect(signInWithPasskey(client)).rejects.toMatchObject({ code: "passkey_unknown" });
    expect(browser.signals).toEqual([
      ["signalUnknownCredential", { rpId: "localhost", credentialId: assertion.id }],
    ]);
  });

  it("tells them nothing when the passkey was refused for another reason", async () => {
    const { client } = setup({ "POST /v1/session/passkey": () => failure(401, "passkey_invalid") });
    await expect(signInWithPasskey(client)).rejects.toMatchObject({ code: "passkey_invalid" });
    expect(browser.signals).toEqual([]);
  });
});

describe("a prompt", () => {
  it("is closed by the caller's signal, whose reason it rejects with", async () => {
    const controller = new AbortController();
    browser.answer = () => browser.untilAborted();
    const { client } = setup();
    const result = signInWithPasskey(client, { signal: controller.signal });
    await browser.opened(1);
    controller.abort(new Error("closed the page"));
    await expect(result).rejects.toThrow("closed the page");
  });

  it("is not opened after an abort", async () => {
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(getPasskey(requestOptions, { signal })).rejects.toThrow("too late");
    expect(browser.requests).toEqual([]);
  });

  it("closes the one before, which is then cancelled", async () => {
    browser.answer = () => browser.untilAborted();
    const first = getPasskey(requestOptions, { autofill: true });
    await browser.opened(1);
    browser.answer = () => Promise.resolve(browser.credential(registration));
    const second = createPasskey(creationOptions);
    expect(await first).toEqual({ status: "cancelled" });
    expect(await second).toEqual({ status: "done", passkey: registration });
  });
});

describe("autofill", () => {
  it("waits for the user's choice, and asks then whether to remember", async () => {
    let remember = false;
    let choose = () => {};
    browser.answer = () =>
      new Promise((resolve) => {
        choose = () => resolve(browser.credential(assertion));
      });
    const { client, seen } = setup();
    const result = signInWithPasskey(client, { autofill: true, remember: () => remember });
    await browser.opened(1);
    expect(browser.requests[0]).toMatchObject({ mediation: "conditional" });
    remember = true;
    choose();
    expect(await result).toMatchObject({ status: "signed-in" });
    expect(seen[1]?.body).toMatchObject({ remember: true });
  });

  it("takes new options before the challenge expires, while the page is visible", async () => {
    vi.useFakeTimers();
    const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
    vi.stubGlobal("document", page);
    browser.answer = () => browser.untilAborted();
    const { client, requestsTo } = setup();
    const controller = new AbortController();
    const result = signInWithPasskey(client, { autofill: true, signal: controller.signal });
    const asked = () => requestsTo("/v1/session/passkey/options");
    await vi.advanceTimersByTimeAsync(0);
    expect(browser.requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(requestOptions.timeout);
    expect(asked()).toBe(1);
    page.visibilityState = "visible";
    page.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked()).toBe(2);
    expect(browser.requests).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(requestOptions.timeout);
    expect(asked()).toBe(3);
    controller.abort(new Error("left"));
    await expect(result).rejects.toThrow("left");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is cancelled in silence when the server cannot be asked", async () => {
    const { client } = setup({ "POST /v1/session/passkey/options": () => failure(429, "rate_limited") });
    expect(await signInWithPasskey(client, { autofill: true })).toEqual({ status: "cancelled" });
    expect(browser.requests).toEqual([]);
  });

  it("needs a browser that offers it", async () => {
    expect(await autofillSupported()).toBe(true);
    browser.offersAutofill = false;
    expect(await autofillSupported()).toBe(false);
  });
});

describe("the other uses of a passkey", () => {
  it("signs up in place of a password", async () => {
    const { client, seen } = setup();
    const { email_address } = signInInput;
    const result = await signUpWithPasskey(client, { email_address, name: "Laptop" });
    expect(result).toMatchObject({ status: "signed-up", user: { id: 1 } });
    expect(client.state().status).toBe("signed-in");
    expect(seen[0]?.body).toEqual({ email_address });
    expect(seen[1]?.body).toEqual({ email_address, passkey: { credential: registration, name: "Laptop" } });
  });

  it("is the second step of a sign-in", async () => {
    const { client, seen } = setup();
    await client.signIn(signInInput);
    expect(await presentPasskey(client)).toMatchObject({ status: "signed-in", user: { id: 1 } });
    expect(seen.at(-1)?.body).toEqual({ passkey: assertion, pending_token: "crp_one" });
    expect(client.state().status).toBe("signed-in");
  });

  it("leaves a sign-in waiting when the prompt is closed", async () => {
    const { client } = setup();
    await client.signIn(signInInput);
    browser.answer = () => Promise.reject(new DOMException("", "NotAllowedError"));
    expect(await presentPasskey(client)).toEqual({ status: "cancelled" });
    expect(client.state().status).toBe("second-factor");
  });

  it("reauthenticates, and keeps the session's new token", async () => {
    const { client, seen, store } = setup();
    await signInWithPasskey(client);
    expect(await reauthenticateWithPasskey(client)).toMatchObject({ status: "reauthenticated" });
    expect(seen.at(-1)?.body).toEqual({ passkey: assertion });
    expect(store.load()).toEqual({ token: "crs_two" });
  });

  it("is added to an account", async () => {
    const { client, seen } = setup();
    expect(await addPasskey(client, { name: "Laptop" })).toEqual({ status: "added", passkey });
    expect(seen[1]?.body).toEqual({ credential: registration, name: "Laptop" });
  });

  it("is not added twice by one authenticator", async () => {
    browser.answer = () => Promise.reject(new DOMException("", "InvalidStateError"));
    const { client, seen } = setup();
    expect(await addPasskey(client)).toEqual({ status: "already-registered" });
    expect(seen).toHaveLength(1);
  });

  it("is listed, which tells password managers what is accepted", async () => {
    const { client } = setup();
    await client.restore();
    await signInWithPasskey(client);
    expect(await listPasskeys(client)).toEqual(list);
    const account = { rpId: "localhost", userId: "BAUG" };
    const { email_address } = user();
    await expect
      .poll(() => browser.signals)
      .toEqual([
        ["signalAllAcceptedCredentials", { ...account, allAcceptedCredentialIds: ["AQID"] }],
        ["signalCurrentUserDetails", { ...account, name: email_address, displayName: email_address }],
      ]);
  });

  it("is listed where the browser passes nothing on", async () => {
    browser.hasSignals = false;
    const { client } = setup();
    expect(await listPasskeys(client)).toEqual(list);
  });
});

describe("a browser without the JSON forms", () => {
  beforeEach(() => {
    browser.hasJson = false;
  });

  it("gets bytes, and its reply is written in base64url", async () => {
    expect(await getPasskey(requestOptions)).toEqual({ status: "done", passkey: assertion });
    expect(browser.requests[0]?.publicKey).toEqual({
      ...requestOptions,
      challenge: new Uint8Array([255, 239, 190]),
    });
  });

  it("creates a passkey from bytes", async () => {
    expect(await createPasskey(creationOptions)).toEqual({ status: "done", passkey: registration });
    expect(browser.requests[0]?.publicKey).toEqual({
      ...creationOptions,
      challenge: new Uint8Array([255, 239, 190]),
      user: { ...creationOptions.user, id: new Uint8Array([4, 5, 6]) },
      excludeCredentials: [{ type: "public-key", id: new Uint8Array([1, 2, 3]), transports: ["internal"] }],
    });
  });
});
