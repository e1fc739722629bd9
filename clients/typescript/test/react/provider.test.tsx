// @vitest-environment happy-dom

import { act, cleanup, render, screen } from "@testing-library/react";
import { StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient, memoryStore, type Ticket } from "../../src/index.js";
import { AuthProvider, RequireAuth, useAuth, useUser } from "../../src/react/index.js";
import {
  type Answer,
  failure,
  fake,
  json,
  offline,
  type Seen,
  secret,
  shown,
  signedIn,
  url,
} from "../unit/fake.js";

const open: Client[] = [];
/** All that was ever shown in a test. */
const frames: string[] = [];

const Frame = ({ name }: { name: string }) => {
  frames.push(name);
  return <h1>{name}</h1>;
};
const Inside = () => <Frame name={`hello ${useUser().id}`} />;
const Status = () => useAuth().status;

beforeEach(() => {
  frames.length = 0;
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  for (const client of open.splice(0)) {
    client.close();
  }
});

function clientOf(
  ticket: Ticket | null,
  answer: (seen: Seen) => Answer = ({ method }) => json(method === "GET" ? shown() : signedIn("crs_one")),
) {
  const store = memoryStore();
  void store.save(ticket);
  const server = fake(answer);
  const client = createClient({ url, fetch: server.fetch, store });
  open.push(client);
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

describe("a page", () => {
  it("of somebody signed in never shows the sign-in, and asks once under StrictMode", async () => {
    const { client, seen } = clientOf({ token: "crs_kept" });
    const shows = page(client);
    await shows("hello 1");
    expect(new Set(frames)).toEqual(new Set(["loading", "hello 1"]));
    expect(seen).toHaveLength(1);
  });

  it("of nobody never shows the inside, and asks nobody", async () => {
    const { client, seen } = clientOf(null);
    const shows = page(client);
    await shows("sign in");
    expect(new Set(frames)).toEqual(new Set(["loading", "sign in"]));
    expect(seen).toEqual([]);
  });

  it("rendered on a server is loading, whoever is signed in there", async () => {
    const { client } = clientOf(null);
    await client.signIn(secret);
    const html = renderToString(
      <AuthProvider client={client}>
        <Status />
      </AuthProvider>,
    );
    expect(html).toBe("loading");
  });

  it("follows a sign-in and a sign-out", async () => {
    const { client } = clientOf(null);
    const shows = page(client);
    await shows("sign in");
    await act(() => client.signIn(secret));
    await shows("hello 1");
    await act(() => client.signOut());
    await shows("sign in");
  });

  it("follows a sign-out in another tab", async () => {
    const { client } = clientOf({ token: "crs_kept" });
    const other = clientOf({ token: "crs_kept" });
    const shows = page(client);
    await shows("hello 1");
    await other.client.restore();
    await act(() => other.client.signOut());
    await shows("sign in");
    expect(client.state()).toEqual({ status: "signed-out", why: "elsewhere" });
  });

  it("takes the inside away at an expiry, before it could look for a user", async () => {
    let alive = true;
    const errors = vi.spyOn(console, "error");
    const { client } = clientOf({ token: "crs_kept" }, () =>
      alive ? json(shown()) : failure(401, "token_expired"),
    );
    const shows = page(client);
    await shows("hello 1");
    alive = false;
    await act(() => client.showUser().catch(() => {}));
    await shows("sign in");
    expect(errors).not.toHaveBeenCalled();
  });
});

describe("a server out of reach", () => {
  it("is said, and asked again by the button and by the network's return", async () => {
    let up = false;
    const { client } = clientOf({ token: "crs_kept" }, () => (up ? json(shown()) : offline()));
    const shows = page(client);
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toBe("The server cannot be reached. Try again");
    await act(async () => screen.getByRole("button", { name: "Try again" }).click());
    await screen.findByRole("alert");
    up = true;
    await act(async () => dispatchEvent(new Event("online")));
    await shows("hello 1");
  });

  it("is shown as one likes", async () => {
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

it("a page that comes back into sight after a minute asks again", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const { client, seen } = clientOf({ token: "crs_kept" });
  const shows = page(client);
  await shows("hello 1");
  const comeBack = () => act(async () => document.dispatchEvent(new Event("visibilitychange")));
  await comeBack();
  expect(seen).toHaveLength(1);
  vi.setSystemTime(Date.now() + 61_000);
  await comeBack();
  expect(seen).toHaveLength(2);
});

it("the hooks say what is missing around them", () => {
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
