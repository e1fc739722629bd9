import { createClient } from "@cloakroom/client";
import { AuthProvider } from "@cloakroom/client/react";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { BrowserRouter } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App } from "../src/App.js";
import { SetUpAuthenticator } from "../src/account/SetUpAuthenticator.js";
import { SignInMethodsProvider } from "../src/account/SignInMethodsContext.js";

const user = { id: 1, email_address: "ada@example.com", email_confirmed: true };
const signedIn = { user, session: { id: 7, current: true }, expires_at: "2026-01-31T09:40:00.000Z" };
const pending = (methods: string[]) => ({
  error: "A second factor is required",
  code: "second_factor_required",
  pending_token: "crp_secret",
  methods,
  expires_at: "2026-01-31T09:40:00.000Z",
});

beforeEach(() => vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true));
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  localStorage.clear();
});

type Answers = Record<string, [status: number, body: unknown]>;

function clientOf(answers: Answers) {
  return createClient({
    url: "http://localhost:3000",
    credentials: "cookie",
    channel: false,
    async fetch(url, init) {
      const request = `${init?.method} ${String(url).slice("http://localhost:3000".length)}`;
      const [status, body] = answers[request] ?? expect.fail(request);
      return new Response(JSON.stringify(body), { status });
    },
  });
}

/** Opens the sign-in page and sends a password. */
async function submitPassword(answers: Answers) {
  history.replaceState(null, "", "/sign-in");
  render(
    <AuthProvider client={clientOf(answers)}>
      <BrowserRouter>
        <App />
      </BrowserRouter>
    </AuthProvider>,
  );
  fireEvent.input(await screen.findByLabelText("Password"), { target: { value: "correct horse" } });
  await submit("Password");
}

const submit = (label: string) =>
  act(
    async () => void fireEvent.submit(screen.getByLabelText<HTMLInputElement>(label).form as HTMLFormElement),
  );

test("the second step shows no token, and starts over with the password", async () => {
  await submitPassword({ "POST /v1/session": [401, pending(["totp_code", "recovery_code"])] });
  expect(document.activeElement).toBe(screen.getByLabelText("Code"));
  expect(document.documentElement.outerHTML).not.toContain("crp_secret");
  await act(async () => screen.getByRole("button", { name: "Start over" }).click());
  expect(screen.getByLabelText<HTMLInputElement>("Password").value).toBe("");
});

test("without recovery codes none is offered", async () => {
  await submitPassword({ "POST /v1/session": [401, pending(["totp_code"])] });
  expect(screen.getByLabelText("Code")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Use a recovery code" })).toBeNull();
});

test("a passkey is offered first, where the browser has passkeys", async () => {
  const answers: Answers = { "POST /v1/session": [401, pending(["totp_code", "passkey"])] };
  await submitPassword(answers);
  expect(screen.getByLabelText("Code")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Use a passkey" })).toBeNull();
  cleanup();

  vi.stubGlobal("PublicKeyCredential", class {});
  vi.stubGlobal("navigator", { onLine: true, credentials: {} });
  await submitPassword(answers);
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Use your passkey");
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Continue with your passkey" }));
  await act(async () => screen.getByRole("button", { name: "Use the authenticator app" }).click());
  expect(document.activeElement).toBe(screen.getByLabelText("Code"));
});

test("a sign-in that has ended shows why, until the next try", async () => {
  const answers: Answers = {
    "POST /v1/session": [401, pending(["totp_code"])],
    "POST /v1/session/second_factor": [401, { error: "It has expired.", code: "pending_sign_in_invalid" }],
  };
  await submitPassword(answers);
  await submit("Code");
  const alert = screen.getByRole("alert");
  expect(alert.textContent).toBe("It has expired.");
  expect(document.activeElement).toBe(alert);
  answers["POST /v1/session"] = [
    401,
    { error: "Invalid email address or password", code: "invalid_credentials" },
  ];
  await submit("Password");
  expect(screen.getByRole("alert").textContent).toBe("Invalid email address or password.");
});

test("the QR code is drawn from shapes alone", async () => {
  const qr_svg =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="alert(1)"><script>alert(1)</script>' +
    '<path fill="#fff" d="M0 0h9v9H0z"/><path fill="#000" d="M4 4h1v1h-1z"/></svg>';
  localStorage.setItem("cloakroom:http://localhost:3000", "1");
  const client = clientOf({
    "GET /v1/session": [200, signedIn],
    "POST /v1/session/reauthenticate": [200, signedIn],
    "GET /v1/user/factors": [200, { factors: [], recovery_codes_left: 0, has_password: true }],
    "GET /v1/user/passkeys": [200, { passkeys: [], rp_id: "localhost", user_handle: null }],
    "POST /v1/user/totp": [200, { secret: "ABCDEFGH", otpauth_url: "otpauth://totp/a", qr_svg }],
  });
  await client.restore();
  render(
    <AuthProvider client={client}>
      <SignInMethodsProvider>
        <SetUpAuthenticator onDone={() => {}} onCancel={() => {}} />
      </SignInMethodsProvider>
    </AuthProvider>,
  );
  await submit("Current password");
  const image = screen.getByRole("img", { name: "QR code of the key" });
  expect(image.getAttribute("viewBox")).toBe("0 0 9 9");
  expect(image.getAttribute("onload")).toBeNull();
  expect(image.innerHTML.match(/<\w+/g)).toEqual(["<path", "<path"]);
  expect(screen.getByText("ABCD EFGH")).toBeTruthy();
});
