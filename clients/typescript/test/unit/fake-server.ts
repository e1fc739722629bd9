// A fake server: a `fetch` backed by one function, and responses as the real server sends them.

import { expect } from "vitest";

export interface SeenRequest {
  method: string;
  url: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  init: RequestInit;
}

export type Answer = Response | Promise<Response>;

/** Records every request. Fails the test if a token is part of a URL. */
export function fakeServer(answer: (request: SeenRequest) => Answer) {
  const seen: SeenRequest[] = [];
  const fetch = (async (input: string, init: RequestInit = {}) => {
    const { signal } = init;
    signal?.throwIfAborted();
    expect(input).not.toMatch(/cr[skrpmb]_|eyJ/);
    const url = new URL(input);
    const request = {
      method: init.method ?? "GET",
      url: input,
      path: url.pathname + url.search,
      headers: Object.fromEntries(new Headers(init.headers)),
      body: typeof init.body === "string" ? JSON.parse(init.body) : init.body,
      init,
    };
    seen.push(request);
    const reply = answer(request);
    return signal
      ? Promise.race([
          reply,
          new Promise<never>((_, reject) =>
            signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))),
          ),
        ])
      : reply;
  }) as typeof globalThis.fetch;
  return {
    fetch,
    seen,
    requestsTo: (path: string) => seen.filter((request) => request.path === path).length,
  };
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });

export const failure = (
  status: number,
  code: string,
  more: object = {},
  headers: Record<string, string> = {},
) => json({ error: `Error ${code}`, code, request_id: "r-1", ...more }, status, headers);

/** The reply to a right password of a user with a second factor. */
export const secondFactorRequired = (pending_token = "crp_one") =>
  failure(401, "second_factor_required", {
    pending_token,
    methods: ["totp_code", "recovery_code"],
    expires_at: "2026-01-31T09:40:00.000Z",
  });

export const offline = () => Promise.reject(new TypeError("Failed to fetch"));

export const user = (id = 1) => ({
  id,
  email_address: `user-${id}@example.com`,
  email_confirmed: true,
  created_at: "2026-01-31T09:30:00.000Z",
  updated_at: "2026-01-31T09:30:00.000Z",
  name: null,
  profile: {},
  metadata: {},
});

export const session = (id = 7) => ({
  id,
  ip_address: "127.0.0.1",
  user_agent: null,
  created_at: "2026-01-31T09:30:00.000Z",
  last_active_at: "2026-01-31T09:30:00.000Z",
  expires_at: "2026-03-02T09:30:00.000Z",
  current: true,
});

export const currentSession = (userId = 1) => ({ user: user(userId), session: session() });

export const signedIn = (token?: string, userId = 1) => ({
  ...(token && { token }),
  expires_at: session().expires_at,
  ...currentSession(userId),
});

export const tokenPair = (n: number) => ({
  access_token: `eyJaccess${n}`,
  refresh_token: `crr_refresh${n}`,
  token_type: "Bearer",
  expires_in: 900,
  refresh_expires_in: 86_400,
  scope: "projects:read projects:write",
});

/** A promise with its resolve and reject functions. */
export function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

export const url = "http://localhost:3000";
export const signInInput = { email_address: "user-1@example.com", password: "correct horse" };
