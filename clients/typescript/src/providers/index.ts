// Sign-in by other providers, for pages: to the provider and back, to sign in or to link an account. An entry of its own, so
// that an application without providers does not load it.
//
// # Threats
// - a code in the history, in a bookmark or in what the page loads: it leaves the address before the first request
// - a code that is sent twice, by effects that run twice or by a reload: the first call takes it
// - a code of another browser: the cookie binds it, or without cookies a verifier that stays in the tab

import type { Input, Output } from "../operations.js";
import type { CallOptions, Client, SecondFactorRequired, SignedIn } from "../types.js";
import type { ProviderRefusal } from "./refusals.js";
import { type Started, saveStarted, takeStarted } from "./started.js";

export type { ProviderRefusal } from "./refusals.js";

export type Provider = Output<"listProviders">["providers"][number];
export type LinkedIdentity = Output<"linkIdentity">["identity"];

/** What the page can hand over to the one that the browser comes back to. */
interface Kept {
  /** Not interpreted here: the page that the user wanted. */
  return_to?: string | undefined;
}

export type ProviderSignInInput = Omit<Input<"startProviderSignIn">, "code_challenge"> &
  Kept & {
    /** Whether to stay signed in for longer. */
    remember?: boolean;
  };

export type LinkingInput = Omit<Input<"startLinking">, "code_challenge" | "id"> & Kept & { provider: string };

/** What the browser came back with, and what it had left for: undefined if it left in another tab. */
export type ProviderReturn = Started &
  (
    | { /** Works once, within a minute. */ exchange_code: string; error?: never }
    | { /** Why there is no code. */ error: ProviderRefusal; exchange_code?: never }
  );

/** What came of it. */
export type ProviderResult =
  | SignedIn
  | SecondFactorRequired
  | ({ status: "linked" } & Output<"linkIdentity">)
  /** The user cancelled, or the sign-in failed at the provider or at its way back. */
  | { status: "refused"; reason: ProviderRefusal };

/** Sends the browser to the provider to sign in. Resolves when it is about to leave the page. */
export function signInWithProvider(
  client: Client,
  { provider, redirect_to, remember, return_to }: ProviderSignInInput,
  { signal }: CallOptions = {},
): Promise<void> {
  const started = { provider, links: false, remember, return_to };
  return leave(client, started, signal, (challenge) =>
    client.startProviderSignIn({ provider, ...(redirect_to && { redirect_to }), ...challenge }, { signal }),
  );
}

/** The same to link an account to that of the signed-in user. The session must be reauthenticated. */
export function linkProvider(
  client: Client,
  { provider, redirect_to, password_challenge, return_to }: LinkingInput,
  { signal }: CallOptions = {},
): Promise<void> {
  const started = { provider, links: true, return_to };
  return leave(client, started, signal, (challenge) =>
    client.startLinking(
      {
        id: provider,
        ...(redirect_to && { redirect_to }),
        ...(password_challenge && { password_challenge }),
        ...challenge,
      },
      { signal },
    ),
  );
}

/**
 * What the address of the page has in its fragment, which is removed: call it once, before anything that may read or copy
 * the address. `null` for a page that was opened in another way, such as by a reload.
 */
export function takeProviderReturn(): ProviderReturn | null {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const exchange_code = fragment.get("exchange_code");
  const error = fragment.get("error");
  if (!exchange_code && !error) {
    return null;
  }
  history.replaceState(history.state, "", location.pathname + location.search);
  const started = takeStarted();
  return exchange_code ? { ...started, exchange_code } : { ...started, error: error as ProviderRefusal };
}

/**
 * Finishes what was started. Rejects with a `CloakroomError`, such as `account_exists`. Nothing is used up by a
 * `network_error`: the call can be repeated.
 */
export async function finishProviderReturn(
  client: Client,
  { error, exchange_code, code_verifier, links, remember }: ProviderReturn,
  { signal }: CallOptions = {},
): Promise<ProviderResult> {
  if (error) {
    return { status: "refused", reason: error };
  }
  const proof = { exchange_code, ...(code_verifier && { code_verifier }) };
  return links
    ? { status: "linked", ...(await client.linkIdentity(proof, { signal })) }
    : client.exchangeProviderSignIn({ ...proof, remember: !!remember }, { signal });
}

/** A random `code_verifier` and its `code_challenge`, for apps that open the system's browser themselves (RFC 7636). */
export async function createVerifier(): Promise<{ code_verifier: string; code_challenge: string }> {
  const code_verifier = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code_verifier));
  return { code_verifier, code_challenge: toBase64Url(new Uint8Array(digest)) };
}

async function leave(
  client: Client,
  started: Started,
  signal: AbortSignal | undefined,
  start: (challenge: { code_challenge?: string }) => Promise<Output<"startProviderSignIn">>,
) {
  // Without cookies the server does not know the browser.
  const { code_verifier, ...challenge } = client.credentials === "cookie" ? {} : await verifier();
  const { authorization_url } = await start(challenge);
  signal?.throwIfAborted();
  saveStarted({ ...started, code_verifier });
  location.assign(authorization_url);
}

const verifier: () => Promise<{ code_verifier?: string; code_challenge?: string }> = createVerifier;

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=/g, "");
}
