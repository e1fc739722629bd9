// @vitest-environment happy-dom

import { act, cleanup, render, screen } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createClient } from "../../src/index.js";
import { AuthProvider, useAuth } from "../../src/react/index.js";
import { useProviderReturn, useProviderSignIn, useProviders } from "../../src/react/providers.js";
import { FakePage } from "../unit/fake-page.js";
import {
  type Answer,
  deferred,
  failure,
  fakeServer,
  json,
  offline,
  type SeenRequest,
  secondFactorRequired,
  signedIn,
  url,
} from "../unit/fake-server.js";

const acme = { id: "acme", name: "Acme", kind: "oidc" };
const authorization_url = "https://id.example.com/authorize?state=one";

let page: FakePage;
let answers: Record<string, (seen: SeenRequest) => Answer>;
beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  page = new FakePage();
  page.install();
  answers = {
    "/v1/providers": () => json({ providers: [acme] }),
    "/v1/session/identity/acme": () => json({ authorization_url }),
    "/v1/session/exchange": () => json(signedIn()),
  };
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const shown = () => document.body.textContent;
const press = () => act(async () => screen.getByRole("button").click());

async function open(children: React.ReactNode) {
  const server = fakeServer((seen) => (answers[seen.path] ?? expect.fail(seen.path))(seen));
  const client = createClient({ url, fetch: server.fetch, credentials: "cookie", channel: false });
  vi.stubGlobal("localStorage", undefined);
  answers["/v1/session"] ??= () => failure(401, "unauthorized");
  const { unmount } = await act(async () =>
    render(
      <StrictMode>
        <AuthProvider client={client}>{children}</AuthProvider>
      </StrictMode>,
    ),
  );
  return { ...server, client, unmount };
}

describe("buttons", () => {
  function Buttons() {
    const signIn = useProviderSignIn({ remember: () => true, return_to: "/orders" });
    return useProviders().map(({ id, name }) => (
      <button key={id} type="button" onClick={() => signIn.start(id)}>
        {[name, signIn.pending, signIn.error?.code, signIn.retryIn].join()}
      </button>
    ));
  }

  it("lead to the provider", async () => {
    await open(<Buttons />);
    expect(shown()).toBe("Acme,,,0");
    await press();
    expect(page.left).toEqual([authorization_url]);
    expect(JSON.parse(page.stored.get("cloakroom:provider") ?? "")).toEqual({
      provider: "acme",
      links: false,
      remember: true,
      return_to: "/orders",
    });
    // The browser may come back to the page as it is now.
    expect(shown()).toBe("Acme,,,0");
  });

  it("start one sign-in at a time, and none after the page is left", async () => {
    const started = deferred<Response>();
    answers["/v1/session/identity/acme"] = () => started.promise;
    const { requestsTo, unmount } = await open(<Buttons />);
    await press();
    await press();
    expect(shown()).toBe("Acme,acme,,0");
    expect(requestsTo("/v1/session/identity/acme")).toBe(1);
    unmount();
    await act(async () => started.resolve(json({ authorization_url })));
    expect(page.left).toEqual([]);
  });

  it("show a refusal and the wait", async () => {
    answers["/v1/session/identity/acme"] = () =>
      failure(503, "provider_unavailable", {}, { "Retry-After": "30" });
    const { requestsTo } = await open(<Buttons />);
    await press();
    expect(shown()).toBe("Acme,,provider_unavailable,30");
    await press();
    expect(requestsTo("/v1/session/identity/acme")).toBe(1);
  });

  it.each([offline, () => json({ providers: [] })])("are none without providers", async (answer) => {
    answers["/v1/providers"] = answer;
    await open(<Buttons />);
    expect(shown()).toBe("");
  });
});

describe("the page that the browser comes back to", () => {
  function Return() {
    const state = useProviderReturn();
    const auth = useAuth();
    const code = state.status === "failed" ? state.error.code : state.status === "refused" && state.reason;
    return (
      <button type="button" onClick={() => state.status === "failed" && state.retry()}>
        {[state.status, code || "", state.return_to, auth.status].join()}
      </button>
    );
  }

  beforeEach(() => {
    page.stored.set("cloakroom:provider", JSON.stringify({ provider: "acme", return_to: "/orders" }));
    page.comesBackWith("exchange_code=cre_one");
  });

  it("signs in once, though effects run twice", async () => {
    const { requestsTo } = await open(<Return />);
    expect(shown()).toBe("signed-in,,/orders,signed-in");
    expect(requestsTo("/v1/session/exchange")).toBe(1);
    expect(page.location.hash).toBe("");
  });

  it("sends nothing after a reload", async () => {
    page.comesBackWith("");
    const { requestsTo } = await open(<Return />);
    expect(shown()).toBe("none,,,signed-out");
    expect(requestsTo("/v1/session/exchange")).toBe(0);
  });

  it("goes on with a second factor", async () => {
    answers["/v1/session/exchange"] = () => secondFactorRequired();
    await open(<Return />);
    expect(shown()).toBe("second-factor,,/orders,second-factor");
  });

  it("knows the reasons of refusals", async () => {
    answers["/v1/session/exchange"] = () => failure(409, "account_exists");
    const { unmount } = await open(<Return />);
    expect(shown()).toBe("failed,account_exists,/orders,signed-out");
    unmount();
    page.comesBackWith("error=state_expired");
    await open(<Return />);
    expect(shown()).toBe("refused,state_expired,,signed-out");
  });

  it("sends the code again after a broken connection", async () => {
    answers["/v1/session/exchange"] = offline;
    const { requestsTo } = await open(<Return />);
    expect(shown()).toContain("failed,network_error");
    answers["/v1/session/exchange"] = () => json(signedIn());
    await press();
    expect(shown()).toBe("signed-in,,/orders,signed-in");
    expect(requestsTo("/v1/session/exchange")).toBe(2);
  });
});
