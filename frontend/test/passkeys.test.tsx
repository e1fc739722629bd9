import { createClient } from "@cloakroom/client";
import { AuthProvider } from "@cloakroom/client/react";
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RemoveAuthenticator } from "../src/account/RemoveAuthenticator.js";
import { SignInMethodsProvider } from "../src/account/SignInMethodsContext.js";

const API = "http://localhost:3000";
const user = { id: 1, email_address: "ada@example.com", email_confirmed: true };
const signedIn = { user, session: { id: 7, current: true }, expires_at: "2026-01-31T09:40:00.000Z" };
const passkey = { id: 3, name: "Laptop", credential_id: "AQID", backed_up: true };

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.stubGlobal("PublicKeyCredential", class {});
  const credential = { toJSON: () => ({ id: "AQID" }) };
  vi.stubGlobal("navigator", { onLine: true, credentials: { get: async () => credential } });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  localStorage.clear();
});

/** Opens a form that asks for a proof. */
async function open(answers: Record<string, [status: number, body: unknown]> = {}) {
  const all = {
    "GET /v1/session": [200, signedIn],
    "GET /v1/user/factors": [200, { factors: [], recovery_codes_left: 0, has_password: true }],
    "GET /v1/user/passkeys": [200, { passkeys: [passkey], rp_id: "localhost", user_handle: "BAUG" }],
    "POST /v1/session/passkey/options": [200, { challenge: "AAAA", rpId: "localhost", timeout: 300_000 }],
    "POST /v1/session/reauthenticate": [200, signedIn],
    ...answers,
  } as Record<string, [number, unknown]>;
  localStorage.setItem(`cloakroom:${API}`, "1");
  const bodies: unknown[] = [];
  const client = createClient({
    url: API,
    credentials: "cookie",
    channel: false,
    async fetch(url, init) {
      const request = `${init?.method} ${String(url).slice(API.length)}`;
      const [status, body] = all[request] ?? expect.fail(request);
      bodies.push(init?.body && JSON.parse(String(init.body)));
      return new Response(JSON.stringify(body), { status });
    },
  });
  await client.restore();
  await act(async () =>
    render(
      <AuthProvider client={client}>
        <SignInMethodsProvider>
          <RemoveAuthenticator onDone={() => {}} onClose={() => {}} />
        </SignInMethodsProvider>
      </AuthProvider>,
    ),
  );
  return bodies;
}

const press = (name: string) => act(async () => screen.getByRole("button", { name }).click());
const password = () => screen.queryByLabelText("Current password");

test("a passkey replaces the password, until the server asks for it again", async () => {
  const bodies = await open();
  expect(password()).toBeTruthy();
  await press("Use your passkey instead");
  expect(document.activeElement).toBe(screen.getByText("Confirmed with your passkey."));
  expect(password()).toBeNull();
  expect(bodies.at(-1)).toEqual({ passkey: { id: "AQID" } });
  await act(async () => vi.advanceTimersByTime(14 * 60_000));
  expect(password()).toBeTruthy();
});

test("a proof that the server no longer accepts is asked for again", async () => {
  await open({
    "DELETE /v1/user/totp": [
      422,
      {
        error: "Password challenge can't be blank",
        code: "validation_failed",
        fields: { password_challenge: ["can't be blank"] },
      },
    ],
  });
  await press("Use your passkey instead");
  await press("Remove app");
  expect(screen.queryByText("Confirmed with your passkey.")).toBeNull();
  expect(password()?.getAttribute("aria-invalid")).toBe("true");
  await press("Use your passkey instead");
  expect(password()).toBeNull();
});
