// One request and its reply: a value, or a `CloakroomError`.

import { CloakroomError, type Failure } from "./error.js";

export interface Outgoing {
  method: string;
  url: string;
  body?: unknown;
  /** The token, if any. It goes into a header and nowhere else. */
  token?: string | undefined;
  /** Whether cookies go along and may be set. */
  cookies: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Sends it and reads the reply; `undefined` for an empty one.
 *
 * Rejects with the signal's own reason if that ended it, else with a `CloakroomError`.
 */
export async function send(fetch: typeof globalThis.fetch, outgoing: Outgoing): Promise<unknown> {
  const { method, url, body, token, cookies, signal } = outgoing;
  const headers: Record<string, string> = { Accept: "application/json" };
  if (token) {
    headers.Authorization = `Bearer ${token}`;
  }
  const init: RequestInit = {
    method,
    headers,
    credentials: cookies ? "include" : "omit",
    cache: "no-store",
    redirect: "error",
    referrerPolicy: "no-referrer",
    signal: signal ?? null,
  };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }

  let reply: Response;
  let text: string;
  try {
    reply = await fetch(url, init);
    text = await reply.text();
  } catch (error) {
    if (signal?.aborted) {
      throw signal.reason ?? error;
    }
    throw new CloakroomError(0, { code: "network_error", error: "The server cannot be reached" });
  }
  const value = read(text);
  if (reply.ok && (value !== undefined || text === "")) {
    return value;
  }
  const failure = value as Failure | undefined;
  const wait = Number(reply.headers.get("Retry-After") ?? Number.NaN);
  throw new CloakroomError(
    reply.status,
    typeof failure?.code === "string"
      ? failure
      : { code: "unexpected_reply", error: `The reply (${reply.status}) is not the server's own` },
    Number.isNaN(wait) ? undefined : wait,
  );
}

function read(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}
