import { createClient } from "@cloakroom/client";
import { AuthProvider } from "@cloakroom/client/react";
import { cleanup, render, screen } from "@testing-library/react";
import { BrowserRouter } from "react-router";
import { afterEach, expect, test } from "vitest";
import { App } from "../src/App.js";
import { wayBack } from "../src/layout/guards.js";

const TOKEN = "AQAA.bbbb";

afterEach(cleanup);

/** The application at a path, and where its window was when it asked for what. */
function open(path: string) {
  const asked: { where: string; what: string }[] = [];
  history.replaceState(null, "", path);
  const client = createClient({
    url: "http://localhost:3000",
    credentials: "cookie",
    channel: false,
    async fetch(url, init) {
      asked.push({ where: location.pathname, what: `${init?.method} ${new URL(String(url)).pathname}` });
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
  return asked;
}

test("the token of a reset link leaves the address before anything is asked", async () => {
  const asked = open(`/passwords/${TOKEN}/edit`);
  await screen.findByText("o…@example.com");
  expect(asked).toEqual([{ where: "/passwords/edit", what: `GET /v1/passwords/${TOKEN}` }]);
  expect(location.href).not.toContain(TOKEN);
});

test.each([
  ["confirmations", "Confirm this address"],
  ["unlocks", "Open sign-in"],
])("a link to %s does nothing until its button is pressed", async (path, button) => {
  const asked = open(`/${path}/${TOKEN}`);
  await screen.findByRole("button", { name: button });
  expect(asked).toEqual([]);
  expect(location.pathname).toBe(`/${path}`);
});

test("without a link the page says to open it again", async () => {
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
])("after %j one goes to %s", (state, path) => {
  expect(wayBack(state)).toBe(path);
});

test("a query cannot say where one goes after signing in", async () => {
  open("/sign-in?from=/evil&next=https://evil.example");
  const links = (await screen.findAllByRole("link")).map((link) => link.getAttribute("href"));
  expect(links.filter((href) => href?.includes("evil"))).toEqual([]);
});
