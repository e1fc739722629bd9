// The table that every method of the client is made from. A test holds it against the server's OpenAPI document.

import type { operations } from "./schema.js";

/**
 * Operation, and where it is: `METHOD /path/{name}?query&query`. What is public gets no credential; tokens can be had
 * with one and without. `PUT` of a project does as `PATCH`, and `PATCH` of a password as `PUT`: one of each is enough.
 */
export const routes = {
  up: "public GET /up",
  ready: "public GET /ready",
  signUp: "public POST /v1/registrations",
  requestConfirmation: "public POST /v1/confirmations",
  confirmAddress: "public PUT /v1/confirmations/{token}",
  signIn: "public POST /v1/session",
  showSession: "GET /v1/session",
  signOut: "DELETE /v1/session",
  confirmPassword: "POST /v1/session/confirm",
  rotateSession: "POST /v1/session/rotate",
  listSessions: "GET /v1/sessions",
  endSessions: "DELETE /v1/sessions?except",
  endSession: "DELETE /v1/sessions/{id}",
  requestPasswordReset: "public POST /v1/passwords",
  showPasswordReset: "public GET /v1/passwords/{token}",
  resetPassword: "public PUT /v1/passwords/{token}",
  unlock: "public PUT /v1/unlocks/{token}",
  showUser: "GET /v1/user",
  changePassword: "PUT /v1/user/password",
  changeAddress: "PUT /v1/user/email_address",
  deleteAccount: "DELETE /v1/user",
  listApiKeys: "GET /v1/api_keys",
  createApiKey: "POST /v1/api_keys",
  renameApiKey: "PATCH /v1/api_keys/{id}",
  revokeApiKey: "DELETE /v1/api_keys/{id}",
  createTokens: "POST /v1/tokens",
  refreshTokens: "public POST /v1/tokens/refresh",
  revokeToken: "public POST /v1/tokens/revoke",
  introspect: "POST /v1/introspect",
  verify: "GET /v1/verify?scope",
  listKeys: "public GET /.well-known/jwks.json",
  listProjects: "GET /v1/projects?limit&cursor",
  createProject: "POST /v1/projects",
  showProject: "GET /v1/projects/{id}",
  updateProject: "PATCH /v1/projects/{id}",
  deleteProject: "DELETE /v1/projects/{id}",
} as const satisfies Record<Exclude<keyof operations, "replaceProject" | "patchPassword">, string>;

export type Id = keyof typeof routes;
export type Values = Record<string, unknown>;

/** One request, before it has an address and a credential. */
export interface Call {
  method: string;
  path: string;
  body?: unknown;
  /** Whether it goes without a credential. */
  open: boolean;
}

/** Deals the input out: to the path, to the query, and the rest to the body. */
export function callFor(id: Id, input: Values = {}): Call {
  const [, open, method = "", pattern = "", names = ""] =
    /^(public )?(\S+) ([^?]+)\??(.*)$/.exec(routes[id]) ?? [];
  const rest = { ...input };
  const take = (name: string) => {
    const value = rest[name];
    delete rest[name];
    return value;
  };
  const path = pattern.replace(/{(\w+)}/g, (_, name: string) => encodeURIComponent(String(take(name))));
  const query = names ? Object.fromEntries(names.split("&").map((name) => [name, take(name)])) : {};
  const call: Call = { method, path: path + search(query), open: !!open };
  if (Object.keys(rest).length > 0) {
    call.body = rest;
  }
  return call;
}

/** A query string with its question mark, of what is there. */
export function search(query: Values): string {
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return pairs.length > 0 ? `?${pairs.join("&")}` : "";
}
