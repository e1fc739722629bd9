// The route table from which every method of the client is built. A test compares it with the OpenAPI document.

import type { operations } from "./schema.js";

/**
 * Each operation as `METHOD /path/{name}?query&query`. Operations marked `public` are sent without a credential;
 * `createTokens` works with and without one. Operations that equal another are left out.
 */
export const routes = {
  up: "public GET /up",
  ready: "public GET /ready",
  signUp: "public POST /v1/registrations",
  startPasskeySignUp: "public POST /v1/registrations/passkey/options",
  requestConfirmation: "public POST /v1/confirmations",
  confirmAddress: "public PUT /v1/confirmations",
  signIn: "public POST /v1/session",
  presentSecondFactor: "public POST /v1/session/second_factor",
  requestMailCode: "public POST /v1/session/code",
  checkMailLink: "public POST /v1/session/code/check",
  listProviders: "public GET /v1/providers",
  startProviderSignIn: "public POST /v1/session/identity/{provider}",
  exchangeProviderSignIn: "public POST /v1/session/exchange",
  checkIdentityLink: "public POST /v1/session/identity_link/check",
  finishIdentityLink: "public POST /v1/session/identity_link",
  startPasskeySignIn: "public POST /v1/session/passkey/options",
  signInWithPasskey: "public POST /v1/session/passkey",
  showSession: "GET /v1/session",
  signOut: "DELETE /v1/session",
  reauthenticate: "POST /v1/session/reauthenticate",
  rotateSession: "POST /v1/session/rotate",
  listSessions: "GET /v1/sessions",
  endSessions: "DELETE /v1/sessions?except",
  endSession: "DELETE /v1/sessions/{id}",
  requestPasswordReset: "public POST /v1/passwords",
  checkPasswordReset: "public POST /v1/passwords/check",
  resetPassword: "public PUT /v1/passwords",
  unlock: "public PUT /v1/unlocks",
  showUser: "GET /v1/user",
  updateUser: "PATCH /v1/user",
  changePassword: "PUT /v1/user/password",
  removePassword: "DELETE /v1/user/password",
  changeAddress: "PUT /v1/user/email_address",
  deleteAccount: "DELETE /v1/user",
  listEvents: "GET /v1/user/events?limit&cursor",
  listIdentities: "GET /v1/user/identities",
  startLinking: "POST /v1/user/identities/{id}",
  linkIdentity: "POST /v1/user/identities",
  unlinkIdentity: "DELETE /v1/user/identities/{id}",
  listSecondFactors: "GET /v1/user/factors",
  startTotp: "POST /v1/user/totp",
  enrolTotp: "PUT /v1/user/totp",
  removeTotp: "DELETE /v1/user/totp",
  replaceRecoveryCodes: "POST /v1/user/recovery_codes",
  listPasskeys: "GET /v1/user/passkeys",
  startPasskey: "POST /v1/user/passkeys/options",
  addPasskey: "POST /v1/user/passkeys",
  renamePasskey: "PATCH /v1/user/passkeys/{id}",
  removePasskey: "DELETE /v1/user/passkeys/{id}",
  listApiKeys: "GET /v1/api_keys",
  createApiKey: "POST /v1/api_keys",
  renameApiKey: "PATCH /v1/api_keys/{id}",
  revokeApiKey: "DELETE /v1/api_keys/{id}",
  createTokens: "POST /v1/tokens",
  refreshTokens: "public POST /v1/tokens/refresh",
  revokeToken: "public POST /v1/tokens/revoke",
  introspect: "POST /v1/introspect",
  verify: "GET /v1/verify?scope&acr&max_age",
  listKeys: "public GET /.well-known/jwks.json",
  listProjects: "GET /v1/projects?limit&cursor",
  createProject: "POST /v1/projects",
  showProject: "GET /v1/projects/{id}",
  updateProject: "PATCH /v1/projects/{id}",
  deleteProject: "DELETE /v1/projects/{id}",
} as const satisfies Record<Exclude<keyof operations, LeftOut>, string>;

/**
 * These equal `updateProject`, `resetPassword`, or an operation that takes the token in its body, not in its path. Browsers
 * open `finishProviderSignIn` and `receiveProviderForm`.
 */
type LeftOut =
  | "replaceProject"
  | "patchPassword"
  | "finishProviderSignIn"
  | "receiveProviderForm"
  | `${string}ByPath`;

export type OperationId = keyof typeof routes;
export type Values = Record<string, unknown>;

/** A request without host and credential. */
export interface RequestParts {
  method: string;
  path: string;
  body?: unknown;
  /** Whether it is sent without a credential. */
  isPublic: boolean;
}

/** Distributes the input over path and query; the rest is the body. */
export function requestFor(id: OperationId, input: Values = {}): RequestParts {
  const [, isPublic, method = "", pattern = "", names = ""] =
    /^(public )?(\S+) ([^?]+)\??(.*)$/.exec(routes[id]) ?? [];
  const rest = { ...input };
  const take = (name: string) => {
    const value = rest[name];
    delete rest[name];
    return value;
  };
  const path = pattern.replace(/{(\w+)}/g, (_, name: string) => encodeURIComponent(String(take(name))));
  const query = names ? Object.fromEntries(names.split("&").map((name) => [name, take(name)])) : {};
  const request: RequestParts = { method, path: path + queryString(query), isPublic: !!isPublic };
  if (Object.keys(rest).length > 0) {
    request.body = rest;
  }
  return request;
}

/** `?name=value&…` of the defined values; empty if there are none. */
function queryString(query: Values): string {
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return pairs.length > 0 ? `?${pairs.join("&")}` : "";
}
