// Sends one request and parses its response: a value or a `CloakroomError`.

import { CloakroomError, type ErrorBody } from "./error.js";
import type { Code } from "./operations.js";

export interface OutgoingRequest {
  method: string;
  url: string;
  body?: unknown;
  /** Sent in the `Authorization` header and nowhere else. */
  token?: string | undefined;
  /** Whether cookies are sent and accepted. */
  withCookies: boolean;
  /** A failure with this code resolves to its body, as a success does. */
  resolveOn?: Code | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Resolves to the parsed body; `undefined` if it is empty. A body never becomes part of an error as a whole: it may hold
 * a token.
 *
 * Rejects with the signal's reason if it was aborted, else with a `CloakroomError`.
 */
export async function send(fetch: typeof globalThis.fetch, request: OutgoingRequest): Promise<unknown> {
  const { method, url, body, token, withCookies, resolveOn, signal } = request;
  const headers: Record<string, string> = { Accept: "application/json" };
  if (token) {
    headers.Authorization = `Bearer ${token}`;
  }
  const init: RequestInit = {
    method,
    headers,
    credentials: withCookies ? "include" : "omit",
    cache: "no-store",
    redirect: "error",
    referrerPolicy: "no-referrer",
    signal: signal ?? null,
  };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }

  let response: Response;
  let text: string;
  try {
    response = await fetch(url, init);
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) {
      throw signal.reason ?? error;
    }
    throw new CloakroomError(0, { code: "network_error", error: "The server cannot be reached" });
  }
  const value = parseJson(text);
  const errorBody = value as ErrorBody | undefined;
  if (response.ok ? value !== undefined || text === "" : resolveOn && errorBody?.code === resolveOn) {
    return value;
  }
  const retryAfter = Number(response.headers.get("Retry-After") ?? Number.NaN);
  throw new CloakroomError(
    response.status,
    typeof errorBody?.code === "string"
      ? errorBody
      : { code: "unexpected_reply", error: `Unexpected response (${response.status})` },
    Number.isNaN(retryAfter) ? undefined : retryAfter,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}
