import { createClient } from "@cloakroom/client";
import { AuthProvider } from "@cloakroom/client/react";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { BrowserRouter } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App } from "../src/App.js";

const user = { id: 1, email_address: "ada@example.com", email_confirmed: true };
const signedIn = { user, session: { id: 7, current: true }, expires_at: "2026-01-31T09:40:00.000Z" };
const expires_at = "2026-01-31T09:40:00.000Z";

let meta: HTMLMetaElement;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  meta = document.createElement("meta");
  meta.name = "cloakroom-mail-codes";
  document.head.append(meta);
});
afterEach(() => {
  cleanup();
  meta.remove();
  vi.unstubAllGlobals();
  localStorage.clear();
});

type Answers = Record<string, [status: number, body: unknown]>;

/** Opens the application at a path. Returns its requests. */
function open(path: string, answers: Answers = {}) {
  const requests: [string, unknown][] = [];
  history.replaceState(null, "", path);
  const client = createClient({
    url: "http://localhost:3000",
    credentials: "cookie",
    channel: false,
    async fetch(url, init) {
      const request = `${init?.method} ${String(url).slice("http://localhost:3000".length)}`;
      requests.push([request, init?.body ? JSON.parse(String(init.body)) : undefined]);
      const [status, body] = answers[request] ?? expect.fail(request);
      return new Response(JSON.stringify(body), { status });
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

const submit = (label: string) =>
  act(
    async () => void fireEvent.submit(screen.getByLabelText<HTMLInputElement>(label).form as HTMLFormElement),
  );

test("without codes by mail there is neither link nor page", async () => {
  open("/sign-in");
  await screen.findByLabelText("Password");
  expect(screen.queryByText("Email me a code")).toBeNull();
  cleanup();
  for (const path of ["/sign-in/code", "/session/code#AQAA.bbbb"]) {
    open(path);
    await screen.findByText("Page not found");
    cleanup();
  }
});

test("the token of a request is in no page and no address", async () => {
  meta.content = "on";
  const requests = open("/sign-in/code", {
    "POST /v1/session/code": [202, { request_token: "crm_secret", expires_at }],
    "POST /v1/session": [401, { code: "invalid_code", error: "Invalid code" }],
  });
  const address = await screen.findByLabelText("Email address");
  fireEvent.input(address, { target: { value: "ada@example.com" } });
  await submit("Email address");
  fireEvent.input(await screen.findByLabelText("Code"), { target: { value: "01234567" } });
  await submit("Code");
  await screen.findByText("Invalid code.");
  expect(requests.at(-1)).toEqual([
    "POST /v1/session",
    { request_token: "crm_secret", code: "01234567", transport: "cookie" },
  ]);
  expect(document.documentElement.outerHTML + location.href).not.toContain("crm_secret");
});

test("a link signs in once, without a click", async () => {
  meta.content = "on";
  const requests = open("/session/code#AQAA.bbbb", {
    "POST /v1/session/code/check": [200, { code: "01234567", signs_in: true, expires_at }],
    "POST /v1/session": [200, signedIn],
    "GET /v1/projects?limit=20": [200, { projects: [], next_cursor: null }],
  });
  await screen.findByText("Projects", { selector: "h1" });
  expect(requests.filter(([request]) => request === "POST /v1/session")).toEqual([
    ["POST /v1/session", { link_token: "AQAA.bbbb", transport: "cookie" }],
  ]);
});

test("elsewhere a link shows the code and signs in no one", async () => {
  meta.content = "on";
  const requests = open("/session/code#AQAA.bbbb", {
    "POST /v1/session/code/check": [200, { code: "01234567", signs_in: false, expires_at }],
  });
  expect((await screen.findByLabelText("Code")).textContent).toBe("01234567");
  expect(requests.map(([request]) => request)).toEqual(["POST /v1/session/code/check"]);
  expect(location.href).not.toContain("AQAA");
});

test("a link says why its second factor ended the sign-in", async () => {
  meta.content = "on";
  open("/session/code#AQAA.bbbb", {
    "POST /v1/session/code/check": [200, { code: "01234567", signs_in: true, expires_at }],
    "POST /v1/session": [
      401,
      { code: "second_factor_required", pending_token: "crp_secret", methods: ["totp_code"], expires_at },
    ],
    "POST /v1/session/second_factor": [
      401,
      { code: "pending_sign_in_invalid", error: "The sign-in has expired. Start again." },
    ],
  });
  await screen.findByLabelText("Code");
  await submit("Code");
  await screen.findByText("The sign-in has expired. Start again.");
});
