import { readFileSync } from "node:fs";
import { createClient } from "@cloakroom/client";
import { AuthProvider } from "@cloakroom/client/react";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { StrictMode } from "react";
import { BrowserRouter } from "react-router";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { App } from "../src/App.js";
import { ERRORS, REFUSALS } from "../src/providers/refusals.js";

const API = "http://localhost:3000";
const user = { id: 1, email_address: "ada@example.com", email_confirmed: true };
const signedIn = { user, session: { id: 7, current: true }, expires_at: "2026-01-31T09:40:00.000Z" };
const acme = { id: "acme", name: "Acme", kind: "oidc" };
const identity = {
  id: 3,
  provider: "acme",
  email: "ada@acme.example",
  created_at: "2026-01-31T09:30:00.000Z",
  last_used_at: "2026-01-31T09:30:00.000Z",
};
const authorization_url = "https://id.example.com/authorize?state=one";
const left = vi.fn();

type Answers = Record<string, [status: number, body: unknown]>;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  left.mockReset();
  vi.spyOn(location, "assign").mockImplementation(left);
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  localStorage.clear();
  sessionStorage.clear();
});

const account: Answers = {
  "GET /v1/session": [200, signedIn],
  "GET /v1/sessions": [200, { sessions: [] }],
  "GET /v1/api_keys": [200, { api_keys: [] }],
  "GET /v1/user/factors": [200, { factors: [], recovery_codes_left: 0, has_password: true }],
  "GET /v1/user/passkeys": [200, { passkeys: [], rp_id: "localhost", user_handle: null }],
  "GET /v1/user/identities": [200, { identities: [identity] }],
};

/** Opens the application at a path. Returns its requests with their bodies. */
async function open(path: string, answers: Answers = {}) {
  const all: Answers = { "GET /v1/providers": [200, { providers: [acme] }], ...answers };
  const requests: [string, unknown][] = [];
  history.replaceState(null, "", path);
  const client = createClient({
    url: API,
    credentials: "cookie",
    channel: false,
    async fetch(url, init) {
      const request = `${init?.method} ${String(url).slice(API.length)}`;
      requests.push([request, init?.body ? JSON.parse(String(init.body)) : undefined]);
      const [status, body] = all[request] ?? expect.fail(request);
      return new Response(status === 204 ? null : JSON.stringify(body), { status });
    },
  });
  await act(async () =>
    render(
      <StrictMode>
        <AuthProvider client={client}>
          <BrowserRouter>
            <App />
          </BrowserRouter>
        </AuthProvider>
      </StrictMode>,
    ),
  );
  const bodyOf = (wanted: string) => requests.find(([request]) => request === wanted)?.[1];
  const count = (wanted: string) => requests.filter(([request]) => request === wanted).length;
  return { bodyOf, count };
}

/** Opens the account page of a signed-in user. */
function openAccount(answers: Answers = {}) {
  localStorage.setItem(`cloakroom:${API}`, "1");
  return open("/account", { ...account, ...answers });
}

const press = (name: string | RegExp) => act(async () => screen.getByRole("button", { name }).click());
const title = () => screen.getByRole("heading", { level: 1 }).textContent;
const alert = () => screen.getByRole("alert").textContent;

/** What was started in this tab. */
const started = (more: object) =>
  sessionStorage.setItem("cloakroom:provider", JSON.stringify({ provider: "acme", ...more }));

describe("texts", () => {
  const guide = readFileSync(`${import.meta.dirname}/../../docs/guides/providers.md`, "utf8");

  test("there is one for each refusal of the guide", () => {
    const [, table = ""] = /<!-- refusals -->.*?\n\|---.*?\n(.*)<!-- \/refusals -->/s.exec(guide) ?? [];
    const documented = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
    expect(documented.length).toBeGreaterThan(20);
    expect(Object.keys(REFUSALS).sort()).toEqual(documented.sort());
  });

  test("there is one for each refusal of an exchange", () => {
    const [, table = ""] = /^\| reply of `POST \/v1\/session\/exchange` \|.*?\n(.*?)\n\n/ms.exec(guide) ?? [];
    const documented = [...table.matchAll(/^\| \d{3} `(\w+)` \|/gm)].map(([, code]) => code ?? "");
    const own = documented.filter((code) => code !== "second_factor_required");
    expect(own.length).toBeGreaterThan(5);
    expect(own.filter((code) => !ERRORS[code])).toEqual([]);
  });

  test.each([...Object.values(REFUSALS), ...Object.values(ERRORS)])("%s is a sentence", (text) => {
    expect(text).toMatch(/^[A-Z].*\.$/);
    expect(text).not.toMatch(/_|token|nonce|claim|state\b.*expired/);
  });
});

describe("buttons", () => {
  test.each(["/sign-in", "/sign-up"])("stand on %s", async (path) => {
    const { bodyOf } = await open(path, {
      "POST /v1/session/identity/acme": [200, { authorization_url }],
    });
    await press("Continue with Acme");
    expect(bodyOf("POST /v1/session/identity/acme")).toEqual({
      redirect_to: `${location.origin}/sign-in/provider`,
    });
    expect(left).toHaveBeenCalledWith(authorization_url);
  });

  test("are none without providers", async () => {
    await open("/sign-in", { "GET /v1/providers": [200, { providers: [] }] });
    expect(screen.queryByRole("button", { name: /Continue with/ })).toBeNull();
    expect(screen.queryByText("or")).toBeNull();
  });

  test("are none when they cannot be loaded, and the form stays", async () => {
    await open("/sign-in", { "GET /v1/providers": [503, { error: "Busy", code: "unavailable" }] });
    expect(screen.queryByRole("button", { name: /Continue with/ })).toBeNull();
    expect(screen.queryByRole("alert")).toBeNull();
    expect(screen.getByLabelText("Password")).toBeTruthy();
  });

  test("say that a provider does not answer", async () => {
    await open("/sign-in", {
      "POST /v1/session/identity/acme": [
        503,
        { error: "The provider does not answer", code: "provider_unavailable" },
      ],
    });
    await press("Continue with Acme");
    expect(alert()).toBe("The provider does not answer.");
    expect(left).not.toHaveBeenCalled();
  });

  test("say that the page is not set up for them", async () => {
    const message = "Redirect to is not an allowed page";
    await open("/sign-in", {
      "POST /v1/session/identity/acme": [
        422,
        {
          error: message,
          code: "validation_failed",
          errors: [message],
          fields: { redirect_to: ["is not an allowed page"] },
        },
      ],
    });
    await press("Continue with Acme");
    expect(alert()).toBe("Sign-in by other providers is not set up for this page.");
  });

  test("remember what was ticked, and the page that was wanted", async () => {
    await open("/account", { "POST /v1/session/identity/acme": [200, { authorization_url }] });
    await act(async () => screen.getByLabelText("Keep me signed in for longer").click());
    await press("Continue with Acme");
    expect(JSON.parse(sessionStorage.getItem("cloakroom:provider") ?? "")).toEqual({
      provider: "acme",
      links: false,
      remember: true,
      return_to: "/account",
    });
  });
});

describe("the page that providers send back to", () => {
  const exchange = "POST /v1/session/exchange";
  const CODE = "/sign-in/provider#exchange_code=cre_one";
  const pending = {
    error: "A second factor is required",
    code: "second_factor_required",
    pending_token: "crp_secret",
    methods: ["totp_code"],
    expires_at: "2026-01-31T09:40:00.000Z",
  };

  test("signs in once, and leads to the page that was wanted", async () => {
    started({ return_to: "/account", remember: true });
    const { bodyOf, count } = await open(CODE, { ...account, [exchange]: [200, signedIn] });
    expect(count(exchange)).toBe(1);
    expect(bodyOf(exchange)).toEqual({ exchange_code: "cre_one", remember: true, transport: "cookie" });
    expect(location.pathname + location.hash).toBe("/account");
    expect(title()).toBe("Your account");
  });

  test("leads to no other site", async () => {
    started({ return_to: "//evil.example" });
    await open(CODE, { ...account, [exchange]: [200, signedIn] });
    expect(location.pathname).toBe("/");
  });

  test("asks for a second factor, and starts over with the sign-in", async () => {
    await open(CODE, { [exchange]: [401, pending] });
    expect(title()).toBe("Enter your code");
    await press("Start over");
    expect(location.pathname).toBe("/sign-in");
  });

  test("says why a second factor ended the sign-in", async () => {
    await open(CODE, {
      [exchange]: [401, pending],
      "POST /v1/session/second_factor": [
        401,
        { code: "pending_sign_in_invalid", error: "The sign-in has expired. Start again." },
      ],
    });
    const form = screen.getByLabelText<HTMLInputElement>("Code").form as HTMLFormElement;
    await act(async () => void fireEvent.submit(form));
    expect(alert()).toBe("The sign-in has expired. Start again.");
    expect(screen.getByText("Back to sign in")).toBeTruthy();
  });

  test.each(["issuer_mismatch", "state_expired", "made_up"])("shows %s with its code", async (code) => {
    await open(`/sign-in/provider#error=${code}`);
    expect(alert()).toBe(REFUSALS[code as keyof typeof REFUSALS] ?? REFUSALS.provider_error);
    expect(screen.getByText(code)).toBeTruthy();
    expect(location.hash).toBe("");
  });

  test("shows a cancellation without alarm", async () => {
    await open("/sign-in/provider#error=access_denied");
    expect(screen.queryByRole("alert")).toBeNull();
    expect(screen.getByText(REFUSALS.access_denied)).toBeTruthy();
  });

  test("explains that the address has an account", async () => {
    await open(CODE, { [exchange]: [409, { error: "Taken", code: "account_exists" }] });
    expect(alert()).toBe(ERRORS.account_exists);
    expect(screen.getByText("Reset your password")).toBeTruthy();
  });

  test("sends the code again when the server was not reached", async () => {
    const answers: Answers = { ...account, [exchange]: [502, "Bad gateway"] };
    const { count } = await open(CODE, answers);
    expect(screen.getByRole("alert").textContent).toContain("Unexpected response");
    await press("Try again");
    expect(count(exchange)).toBe(2);
  });

  test("is of no concern to a signed-in user when it is opened again", async () => {
    localStorage.setItem(`cloakroom:${API}`, "1");
    await open("/sign-in/provider#error=state_used", account);
    expect(location.pathname).toBe("/");
    cleanup();
    await open("/sign-in/provider", account);
    expect(location.pathname).toBe("/");
  });

  test("links an account, and reports it once", async () => {
    localStorage.setItem(`cloakroom:${API}`, "1");
    started({ links: true });
    const { bodyOf } = await open(CODE, { ...account, "POST /v1/user/identities": [201, { identity }] });
    expect(bodyOf("POST /v1/user/identities")).toEqual({ exchange_code: "cre_one" });
    expect(location.pathname).toBe("/account");
    expect(screen.getByText("Acme is linked. You can sign in with it now.")).toBeTruthy();
    expect(document.activeElement?.textContent).toBe("Linked accounts");
    expect(history.state.usr).toBeNull();
  });

  test("says that an account is linked elsewhere", async () => {
    localStorage.setItem(`cloakroom:${API}`, "1");
    started({ links: true });
    await open(CODE, {
      ...account,
      "POST /v1/user/identities": [409, { error: "Taken", code: "identity_taken" }],
    });
    expect(title()).toBe("Account not linked");
    expect(alert()).toBe(ERRORS.identity_taken);
  });
});

describe("linked accounts", () => {
  const section = () => screen.queryByText("Linked accounts");

  test("are absent without providers", async () => {
    await openAccount({
      "GET /v1/providers": [200, { providers: [] }],
      "GET /v1/user/identities": [200, { identities: [] }],
    });
    expect(section()).toBeNull();
  });

  test("of a provider that is gone can be unlinked", async () => {
    const { bodyOf } = await openAccount({
      "GET /v1/providers": [200, { providers: [] }],
      "DELETE /v1/user/identities/3": [204, null],
    });
    await press(/Unlink/);
    const password = screen.getAllByLabelText("Current password").at(-1) as HTMLInputElement;
    fireEvent.input(password, { target: { value: "correct horse" } });
    await act(async () => void fireEvent.submit(password.form as HTMLFormElement));
    expect(bodyOf("DELETE /v1/user/identities/3")).toEqual({ password_challenge: "correct horse" });
    expect(screen.getByText("acme was unlinked. It no longer signs you in.")).toBeTruthy();
  });

  test("the only way to sign in cannot be unlinked, one of two can", async () => {
    const factors = { factors: [], recovery_codes_left: 0, has_password: false };
    await openAccount({ "GET /v1/user/factors": [200, factors] });
    expect(screen.getByText(/This is your only way to sign in/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Unlink/ })).toBeNull();
    cleanup();
    const passkey = {
      id: 3,
      name: "Laptop",
      credential_id: "AQID",
      backed_up: true,
      created_at: "2026-01-31",
    };
    const passkeys = { passkeys: [passkey], rp_id: "localhost", user_handle: "BAUG" };
    await openAccount({
      "GET /v1/user/factors": [200, factors],
      "GET /v1/user/passkeys": [200, passkeys],
    });
    expect(screen.queryByText(/This is your only way to sign in/)).toBeNull();
    expect(screen.getByRole("button", { name: /Unlink/ })).toBeTruthy();
    expect(screen.getByRole("button", { name: /Remove\s+Laptop/ })).toBeTruthy();
  });
});

describe("without a password and a passkey", () => {
  const answers = (factors: object[]): Answers => ({
    "GET /v1/user/factors": [200, { factors, recovery_codes_left: 0, has_password: false }],
    "GET /v1/user/identities": [200, { identities: [identity, { ...identity, id: 4 }] }],
    "DELETE /v1/user/identities/3": [204, null],
    "POST /v1/session/reauthenticate": [200, signedIn],
  });

  async function openDialog(own: Answers) {
    const opened = await openAccount(own);
    await act(async () => screen.getAllByRole("button", { name: /Unlink/ })[0]?.click());
    return { ...opened, dialog: screen.getByRole("dialog") };
  }

  const inDialog = (dialog: HTMLElement, name: string) =>
    [...dialog.querySelectorAll("button")].find(({ textContent }) => textContent === name) ??
    expect.fail(name);

  test("a code of the app confirms, by the return key", async () => {
    const factor = { kind: "totp", created_at: "2026-01-31T09:30:00.000Z" };
    const { dialog, bodyOf, count } = await openDialog(answers([factor]));
    const input = dialog.querySelector("input:not([type=hidden])") as HTMLInputElement;
    fireEvent.input(input, { target: { value: "123456" } });
    // Else the key would submit the form of the change.
    await act(async () => expect(fireEvent.keyDown(input, { key: "Enter" })).toBe(false));
    expect(bodyOf("POST /v1/session/reauthenticate")).toEqual({ totp_code: "123456" });
    expect(count("DELETE /v1/user/identities/3")).toBe(0);
    expect(dialog.textContent).toContain("Confirmed.");
    await act(async () => inDialog(dialog, "Unlink account").click());
    // The code is no part of the change.
    expect(bodyOf("DELETE /v1/user/identities/3")).toBeUndefined();
    expect(count("DELETE /v1/user/identities/3")).toBe(1);
  });

  test("without codes by mail a password must be set first, by mail", async () => {
    const { dialog } = await openDialog(answers([]));
    expect(dialog.textContent).toContain("Set one by mail");
    expect(screen.getByRole("link", { name: "Set a password by mail" })).toBeTruthy();
    expect(screen.queryByLabelText("New password")).toBeNull();
  });

  test("a mailed code confirms, where there are such codes", async () => {
    const meta = document.createElement("meta");
    meta.name = "cloakroom-mail-codes";
    meta.content = "on";
    document.head.append(meta);
    try {
      const reply = { request_token: "crm_one", expires_at: "2026-01-31T09:40:00.000Z" };
      const { dialog, bodyOf } = await openDialog({
        ...answers([]),
        "POST /v1/session/code": [202, reply],
      });
      await act(async () => inDialog(dialog, "Email me a code to confirm it is you").click());
      expect(bodyOf("POST /v1/session/code")).toEqual({ email_address: user.email_address });
      const input = dialog.querySelector("input:not([type=hidden])") as HTMLInputElement;
      expect(document.activeElement).toBe(input);
      fireEvent.input(input, { target: { value: "01234567" } });
      await act(async () => inDialog(dialog, "Confirm").click());
      expect(bodyOf("POST /v1/session/reauthenticate")).toEqual({
        mail_code: "01234567",
        request_token: "crm_one",
      });
      expect(dialog.textContent).toContain("Confirmed.");
    } finally {
      meta.remove();
    }
  });
});
