import { createClient } from "@cloakroom/client";
import { AuthProvider } from "@cloakroom/client/react";
import { cleanup, render, screen } from "@testing-library/react";
import { BrowserRouter } from "react-router";
import { afterEach, expect, test } from "vitest";
import { App } from "../src/App.js";
import { returnPath } from "../src/layout/guards.js";

const TOKEN = "AQAA.bbbb";

afterEach(cleanup);

/** Opens the application at a path. Returns its requests, each with the page's path at that time. */
function open(path: string) {
  const requests: { page: string; request: string }[] = [];
  history.replaceState(null, "", path);
  const client = createClient({
    url: "http://localhost:3000",
    credentials: "cookie",
    channel: false,
    async fetch(url, init) {
      requests.push({ page: location.pathname, request: `${init?.method} ${new URL(String(url)).pathname}` });
      const reply = { email_address: "o…@example.com", expires_at: new Date().toISOString() };
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

test("the reset token leaves the URL before the first request", async () => {
  const requests = open(`/passwords/${TOKEN}/edit`);
  await screen.findByText("o…@example.com");
  expect(requests).toEqual([{ page: "/passwords/edit", request: "POST /v1/passwords/check" }]);
  expect(location.href).not.toContain(TOKEN);
});

test.each([
  ["confirmations", "Confirm this address"],
  ["unlocks", "Open sign-in"],
])("a link to %s sends no request before a click", async (path, button) => {
  const requests = open(`/${path}/${TOKEN}`);
  await screen.findByRole("button", { name: button });
  expect(requests).toEqual([]);
  expect(location.pathname).toBe(`/${path}`);
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
