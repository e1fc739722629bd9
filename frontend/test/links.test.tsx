import { createClient } from "@cloakroom/client";
import { AuthProvider } from "@cloakroom/client/react";
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { BrowserRouter } from "react-router";
import { afterEach, expect, test } from "vitest";
import { App } from "../src/App.js";
import { returnPath } from "../src/layout/guards.js";

const TOKEN = "AQAA.bbbb";

afterEach(cleanup);

/** Opens the application at a path. Returns its requests, each with the page's address at that time. */
function open(path: string) {
  const requests: { page: string; request: string; body: unknown }[] = [];
  history.replaceState(null, "", path);
  const client = createClient({
    url: "http://localhost:3000",
    credentials: "cookie",
    channel: false,
    async fetch(url, init) {
      requests.push({
        page: location.href.slice(location.origin.length),
        request: `${init?.method} ${String(url).slice("http://localhost:3000".length)}`,
        body: init?.body ? JSON.parse(String(init.body)) : undefined,
      });
      const reply = {
        email_address: "o…@example.com",
        expires_at: new Date().toISOString(),
        message: "Done",
        providers: [],
      };
      return new Response(JSON.stringify(reply), { headers: { "Content-Type": "application/json" } });
    },
  });
  render(
    <AuthProvider client={client}>
      <BrowserRouter>
        <App />
      </BrowserRouter>
    </AuthProvider>,
  );
  return requests;
}

const check = { page: "/passwords/edit", request: "POST /v1/passwords/check", body: { token: TOKEN } };

test.each([`/passwords/edit#${TOKEN}`, `/passwords/${TOKEN}/edit`])(
  "the token of %s leaves the URL before the first request",
  async (link) => {
    const requests = open(link);
    await screen.findByText("o…@example.com");
    expect(requests).toEqual([check]);
    expect(location.href).not.toContain(TOKEN);
  },
);

test("a signed-in user's session is requested without the token", async () => {
  localStorage.setItem("cloakroom:http://localhost:3000", "1");
  const requests = open(`/passwords/edit#${TOKEN}`);
  await screen.findByText("o…@example.com");
  localStorage.clear();
  expect(requests.map(({ request }) => request)).toContain("GET /v1/session");
  expect(requests.map(({ page }) => page)).toEqual(requests.map(() => "/passwords/edit"));
});

test("another link in the same tab replaces the first", async () => {
  const requests = open(`/passwords/edit#${TOKEN}`);
  await screen.findByText("o…@example.com");
  act(() => {
    history.pushState(null, "", "/passwords/edit#another");
    dispatchEvent(new PopStateEvent("popstate"));
  });
  await waitFor(() => expect(requests).toEqual([check, { ...check, body: { token: "another" } }]));
  expect(location.href).not.toContain("another");
});

test.each([
  [`/confirmations#${TOKEN}`, "/confirmations", "Confirm this address"],
  [`/confirmations/${TOKEN}`, "/confirmations", "Confirm this address"],
  [`/unlocks#${TOKEN}`, "/unlocks", "Open sign-in"],
  [`/unlocks/${TOKEN}`, "/unlocks", "Open sign-in"],
])("%s sends its token after a click, in the body", async (link, page, name) => {
  const requests = open(link);
  const button = await screen.findByRole("button", { name });
  expect(requests).toEqual([]);
  expect(location.pathname + location.hash).toBe(page);
  fireEvent.click(button);
  await screen.findByText("Done");
  expect(requests).toEqual([{ page, request: `PUT /v1${page}`, body: { token: TOKEN } }]);
});

test("without a link the page asks to open it again", async () => {
  open("/passwords/edit");
  expect((await screen.findByRole("alert")).textContent).toContain("Open the link from your mail again");
});

test.each([
  [{ from: "/account" }, "/account"],
  [{ from: "//evil.example" }, "/"],
  [{ from: "/\\evil.example" }, "/"],
  [{ from: "https://evil.example" }, "/"],
  [{ from: 7 }, "/"],
  [null, "/"],
])("%j leads back to %s", (state, path) => {
  expect(returnPath(state)).toBe(path);
});

test("a query cannot set the return path", async () => {
  open("/sign-in?from=/evil&next=https://evil.example");
  const links = (await screen.findAllByRole("link")).map((link) => link.getAttribute("href"));
  expect(links.filter((href) => href?.includes("evil"))).toEqual([]);
});
