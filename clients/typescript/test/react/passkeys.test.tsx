// @vitest-environment happy-dom

import { act, cleanup, render, screen } from "@testing-library/react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createClient, memoryStore } from "../../src/index.js";
import { getPasskey } from "../../src/passkeys/index.js";
import { AuthProvider, useAuth } from "../../src/react/index.js";
import { usePasskeyPrompt, usePasskeySignIn, usePasskeysSupported } from "../../src/react/passkeys.js";
import { assertion, FakeBrowser, requestOptions } from "../unit/fake-browser.js";
import {
  type Answer,
  failure,
  fakeServer,
  json,
  type SeenRequest,
  signedIn,
  url,
} from "../unit/fake-server.js";

let browser: FakeBrowser;
beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  browser = new FakeBrowser();
  browser.offersAutofill = false;
  browser.install();
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const onSuccess = vi.fn();
const start = () => act(async () => screen.getByRole("button").click());
const shown = () => document.body.textContent;

function Prompt() {
  const prompt = usePasskeyPrompt((options) => getPasskey(requestOptions, options), { onSuccess });
  return (
    <button type="button" onClick={prompt.start}>
      {prompt.pending ? "open" : (prompt.outcome ?? "closed")}
    </button>
  );
}

describe("a prompt behind a button", () => {
  it("hands over its result", async () => {
    render(<Prompt />);
    await start();
    expect(onSuccess).toHaveBeenLastCalledWith({ status: "done", passkey: assertion });
    expect(shown()).toBe("closed");
  });

  it("shows how it ended, until it is opened again", async () => {
    browser.answer = () => Promise.reject(new DOMException("", "NotAllowedError"));
    render(<Prompt />);
    await start();
    expect(shown()).toBe("cancelled");
    browser.answer = () => browser.untilAborted();
    await start();
    expect(shown()).toBe("open");
  });

  it("is open once, and is closed on unmount", async () => {
    browser.answer = () => browser.untilAborted();
    const { unmount } = render(<Prompt />);
    await start();
    await start();
    expect(browser.requests).toHaveLength(1);
    unmount();
    expect(browser.requests[0]?.signal?.aborted).toBe(true);
  });

  it("is known to be supported in a browser only", () => {
    const Support = () => String(usePasskeysSupported());
    render(<Support />);
    expect(shown()).toBe("true");
    expect(renderToString(<Support />)).toBe("false");
  });
});

describe("sign-in", () => {
  let answers: Record<string, (seen: SeenRequest) => Answer>;
  beforeEach(() => {
    answers = {
      "/v1/session/passkey/options": () => json(requestOptions),
      "/v1/session/passkey": () => json(signedIn("crs_one")),
    };
  });

  function SignIn() {
    const passkey = usePasskeySignIn({ remember: () => true, onSuccess });
    const { status } = useAuth();
    return (
      <button type="button" onClick={passkey.start}>
        {[status, passkey.outcome, passkey.error?.code, passkey.retryIn].join()}
      </button>
    );
  }

  async function open() {
    const server = fakeServer((seen) => (answers[seen.path] ?? expect.fail(seen.path))(seen));
    const client = createClient({ url, fetch: server.fetch, store: memoryStore() });
    const { unmount } = await act(async () =>
      render(
        <AuthProvider client={client}>
          <SignIn />
        </AuthProvider>,
      ),
    );
    return { ...server, unmount };
  }

  it("works by the button", async () => {
    const { seen } = await open();
    expect(browser.requests).toEqual([]);
    await start();
    expect(seen[1]?.body).toEqual({ credential: assertion, remember: true });
    expect(onSuccess).toHaveBeenLastCalledWith(expect.objectContaining({ status: "signed-in" }));
    expect(shown()).toBe("signed-in,,,0");
  });

  it("works by a suggestion", async () => {
    browser.offersAutofill = true;
    const { seen } = await open();
    expect(browser.requests[0]).toMatchObject({ mediation: "conditional" });
    expect(seen[1]?.body).toEqual({ credential: assertion, remember: true });
    expect(shown()).toContain("signed-in");
  });

  it("suggests again after a closed prompt and after a refusal", async () => {
    browser.offersAutofill = true;
    browser.answer = () => browser.untilAborted();
    await open();
    browser.answer = () =>
      browser.requests.length === 2
        ? Promise.reject(new DOMException("", "NotAllowedError"))
        : browser.untilAborted();
    await start();
    expect(shown()).toBe("signed-out,cancelled,,0");
    expect(browser.requests.map(({ mediation }) => mediation)).toEqual([
      "conditional",
      undefined,
      "conditional",
    ]);
    answers["/v1/session/passkey"] = () => failure(401, "passkey_invalid");
    browser.answer = () =>
      browser.requests.length === 4 ? Promise.resolve(browser.credential(assertion)) : browser.untilAborted();
    await start();
    expect(shown()).toBe("signed-out,,passkey_invalid,0");
    expect(browser.requests.map(({ mediation }) => mediation).slice(3)).toEqual([undefined, "conditional"]);
  });

  it("waits as long as the server says", async () => {
    answers["/v1/session/passkey"] = () => failure(429, "rate_limited", {}, { "Retry-After": "9" });
    const { requestsTo } = await open();
    await start();
    expect(shown()).toBe("signed-out,,rate_limited,9");
    await start();
    expect(requestsTo("/v1/session/passkey")).toBe(1);
  });

  it("stops to suggest on unmount", async () => {
    browser.offersAutofill = true;
    browser.answer = () => browser.untilAborted();
    const { unmount } = await open();
    unmount();
    expect(browser.requests[0]?.signal?.aborted).toBe(true);
  });
});
