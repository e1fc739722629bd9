// @vitest-environment happy-dom

import { act, cleanup, render, screen } from "@testing-library/react";
import { StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient, memoryStore, type StoredTokens } from "../../src/index.js";
import { AuthProvider, RequireAuth, useAuth, useUser } from "../../src/react/index.js";
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
  signInInput,
  url,
} from "../unit/fake-server.js";

const clients: Client[] = [];
/** Every heading rendered during a test. */
const rendered: string[] = [];

const Frame = ({ name }: { name: string }) => {
  rendered.push(name);
  return <h1>{name}</h1>;
};
const Inside = () => <Frame name={`hello ${useUser().id}`} />;
const Status = () => useAuth().status;

beforeEach(() => {
  rendered.length = 0;
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  for (const client of clients.splice(0)) {
    client.close();
  }
});

function clientOf(
  tokens: StoredTokens | null,
  answer: (seen: SeenRequest) => Answer = ({ method }) =>
    json(method === "GET" ? currentSession() : signedIn("crs_one")),
) {
  const store = memoryStore();
  void store.save(tokens);
  const server = fakeServer(answer);
  const client = createClient({ url, fetch: server.fetch, store });
  clients.push(client);
  return { ...server, client };
}

function page(client: Client) {
  render(
    <StrictMode>
      <AuthProvider client={client}>
        <RequireAuth loading={<Frame name="loading" />} otherwise={<Frame name="sign in" />}>
          <Inside />
        </RequireAuth>
      </AuthProvider>
    </StrictMode>,
  );
  return (name: string) => screen.findByRole("heading", { name });
}

describe("a protected page", () => {
  it("never shows sign-in to a signed-in user", async () => {
    const { client, seen } = clientOf({ token: "crs_kept" });
    const findHeading = page(client);
    await findHeading("hello 1");
    expect(new Set(rendered)).toEqual(new Set(["loading", "hello 1"]));
    expect(seen).toHaveLength(1);
  });

  it("sends no request without a credential", async () => {
    const { client, seen } = clientOf(null);
    const findHeading = page(client);
    await findHeading("sign in");
    expect(new Set(rendered)).toEqual(new Set(["loading", "sign in"]));
    expect(seen).toEqual([]);
  });

  it("renders as loading on a server", async () => {
    const { client } = clientOf(null);
    await client.signIn(signInInput);
    const html = renderToString(
      <AuthProvider client={client}>
        <Status />
      </AuthProvider>,
    );
    expect(html).toBe("loading");
  });

  it("follows sign-in and sign-out", async () => {
    const { client } = clientOf(null);
    const findHeading = page(client);
    await findHeading("sign in");
    await act(() => client.signIn(signInInput));
    await findHeading("hello 1");
    await act(() => client.signOut());
    await findHeading("sign in");
  });

  it("follows a sign-out in another tab", async () => {
    const { client } = clientOf({ token: "crs_kept" });
    const other = clientOf({ token: "crs_kept" });
    const findHeading = page(client);
    await findHeading("hello 1");
    await other.client.restore();
    await act(() => other.client.signOut());
    await findHeading("sign in");
    expect(client.state()).toEqual({ status: "signed-out", reason: "other-tab" });
  });

  it("unmounts its children when the session expires", async () => {
    let sessionValid = true;
    const errors = vi.spyOn(console, "error");
    const { client } = clientOf({ token: "crs_kept" }, () =>
      sessionValid ? json(currentSession()) : failure(401, "token_expired"),
    );
    const findHeading = page(client);
    await findHeading("hello 1");
    sessionValid = false;
    await act(() => client.showUser().catch(() => {}));
    await findHeading("sign in");
    expect(errors).not.toHaveBeenCalled();
  });
});

it("a missing second factor is signed out, also when the page is visible again", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const { client, seen } = clientOf({ token: "crs_kept" }, ({ method }) =>
    method === "GET" ? json(currentSession()) : secondFactorRequired(),
  );
  const findHeading = page(client);
  await findHeading("hello 1");
  await act(() => client.signIn(signInInput));
  await findHeading("sign in");
  vi.setSystemTime(Date.now() + 61_000);
  await act(async () => document.dispatchEvent(new Event("visibilitychange")));
  expect(seen).toHaveLength(2);
  expect(client.state().status).toBe("second-factor");
});

it("a credential that must not read its user is led to sign-in", async () => {
  const { client } = clientOf({ token: "crk_narrow" }, () => failure(403, "insufficient_scope"));
  await page(client)("sign in");
  expect(client.state().status).toBe("restricted");
});

describe("an unreachable server", () => {
  it("is retried by button and when back online", async () => {
    let up = false;
    const { client } = clientOf({ token: "crs_kept" }, () => (up ? json(currentSession()) : offline()));
    const findHeading = page(client);
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toBe("The server cannot be reached. Try again");
    await act(async () => screen.getByRole("button", { name: "Try again" }).click());
    await screen.findByRole("alert");
    up = true;
    await act(async () => dispatchEvent(new Event("online")));
    await findHeading("hello 1");
  });

  it("is rendered by the given function", async () => {
    const { client } = clientOf({ token: "crs_kept" }, offline);
    render(
      <AuthProvider client={client}>
        <RequireAuth otherwise="sign in" unreachable={(error) => <h1>{error.code}</h1>}>
          inside
        </RequireAuth>
      </AuthProvider>,
    );
    await screen.findByRole("heading", { name: "network_error" });
  });
});

it("a page restores when visible again after a minute", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const { client, seen } = clientOf({ token: "crs_kept" });
  const findHeading = page(client);
  await findHeading("hello 1");
  const comeBack = () => act(async () => document.dispatchEvent(new Event("visibilitychange")));
  await comeBack();
  expect(seen).toHaveLength(1);
  vi.setSystemTime(Date.now() + 61_000);
  await comeBack();
  expect(seen).toHaveLength(2);
});

it("hooks throw an error outside their component", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  expect(() => render(<Status />)).toThrow("<AuthProvider>");
  const { client } = clientOf(null);
  expect(() =>
    render(
      <AuthProvider client={client}>
        <Inside />
      </AuthProvider>,
    ),
  ).toThrow("<RequireAuth>");
});
