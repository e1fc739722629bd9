// The public types. The types of requests and responses come from the server's OpenAPI document.

import type { CloakroomError } from "./error.js";
import type { Empty, Input, Output } from "./operations.js";
import type { OperationId } from "./routes.js";
import type { components } from "./schema.js";
import type { TokenStore } from "./store.js";

export type User = components["schemas"]["User"];
export type Session = components["schemas"]["Session"];
export type Project = components["schemas"]["Project"];
export type ApiKey = components["schemas"]["ApiKey"];
/** A kind of second factor, named as its field of `presentSecondFactor`. */
export type SecondFactor = components["schemas"]["SecondFactor"];

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

/** One method for each operation of the server. */
export type Methods = {
  [O in OperationId]: Empty extends Input<O>
    ? (input?: Input<O>, options?: CallOptions) => Promise<Output<O>>
    : (input: Input<O>, options?: CallOptions) => Promise<Output<O>>;
};

/** The password, or what replaces it, is right: `presentSecondFactor` finishes the sign-in. */
export interface SecondFactorRequired {
  status: "second-factor";
  /** What the user can present. */
  methods: SecondFactor[];
  /** Until when; afterwards the sign-in starts again with the password. */
  expiresAt: string;
}

/** A finished sign-in. `token` is undefined in cookie mode and in tokens mode. */
export type SignedIn = { status: "signed-in" } & Output<"signIn">;

/** What `signIn` takes: address and password, a mailed code with its request, or the token of a mailed link. */
export type SignInInput =
  | { email_address: string; password: string; remember?: boolean }
  | { request_token: string; code: string }
  /** A browser is known by its cookie, an app by the token of its request. */
  | { link_token: string; request_token?: string };

/** What `presentSecondFactor` takes: one second factor. */
export type SecondFactorInput = {
  [Each in SecondFactor]: Required<Pick<Input<"presentSecondFactor">, Each>> &
    Partial<Record<Exclude<SecondFactor, Each>, never>>;
}[SecondFactor];

/** Why the user is signed out; `other-tab`: signed out in another tab. */
export type SignOutReason = "signed-out" | "expired" | "other-tab" | "deleted";

export type AuthState =
  | { status: "loading" }
  /** `session` is `null` when the store holds an API key. */
  | { status: "signed-in"; user: User; session: Session | null }
  | SecondFactorRequired
  /** Without `reason` when the user was never signed in. */
  | { status: "signed-out"; reason?: SignOutReason }
  /** The credential is valid but must not read its user: an API key or token without the scope `user:read`. */
  | { status: "restricted"; error: CloakroomError }
  /** The server could not be asked: offline or unavailable. */
  | { status: "unreachable"; error: CloakroomError };

/** How the client authenticates: opaque session token, the server's cookie, or short-lived tokens with refresh. */
export type CredentialMode = "session" | "cookie" | "tokens";

export type ClientOptions = {
  /** The server's URL, without `/v1`. */
  url: string;
  /** Default: `globalThis.fetch` at the time of each call. */
  fetch?: typeof globalThis.fetch;
  /** Name of the channel on which tabs notify each other of sign-in and sign-out; `false` disables it. */
  channel?: string | false;
} & (
  | { credentials?: "session" | "tokens" /** Default: `memoryStore()`. */; store?: TokenStore }
  | { credentials: "cookie"; store?: never }
);

export interface RequestOptions extends CallOptions {
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  body?: unknown;
}

/** What signs in, perhaps after a second factor. */
export type SignInOperation =
  | "signIn"
  | "signInWithPasskey"
  | "exchangeProviderSignIn"
  | "finishIdentityLink"
  | "presentSecondFactor";

export interface Client extends Omit<Methods, SignInOperation> {
  /** How it authenticates. */
  readonly credentials: CredentialMode;
  /** Signs in, or starts to: a user with a second factor then needs `presentSecondFactor`. */
  signIn(input: SignInInput, options?: CallOptions): Promise<SignedIn | SecondFactorRequired>;
  /** Signs in by the reply of a passkey, which `@cloakroom/client/passkeys` gets from the browser. */
  signInWithPasskey(input: Input<"signInWithPasskey">, options?: CallOptions): Promise<SignedIn>;
  /** Signs in by the code of another provider, which `@cloakroom/client/providers` takes from the address. */
  exchangeProviderSignIn(
    input: Input<"exchangeProviderSignIn">,
    options?: CallOptions,
  ): Promise<SignedIn | SecondFactorRequired>;
  /** Links an account at another provider by a mailed link, in the browser that asked for it, and signs in. */
  finishIdentityLink(
    input: Input<"finishIdentityLink">,
    options?: CallOptions,
  ): Promise<SignedIn | SecondFactorRequired>;
  /** Finishes the sign-in. After `invalid_code` it can be called again; `pending_sign_in_invalid` ends the sign-in. */
  presentSecondFactor(input: SecondFactorInput, options?: CallOptions): Promise<SignedIn>;
  /** Gives up a sign-in that waits for a second factor; the state is then as it was before. */
  cancelSignIn(): void;
  /** The current state; the same object until it changes. */
  state(): AuthState;
  /** Calls the listener on every change. Returns the function that unsubscribes. */
  onChange(listener: () => void): () => void;
  /** Determines who is signed in; sends a request only if there is a credential. Never rejects. */
  restore(): Promise<AuthState>;
  /** Sends any other request with the client's credential, to the server's origin only. */
  request<T = unknown>(method: string, path: string, options?: RequestOptions): Promise<T>;
  /** The token for other services; `null` in cookie mode. Pass the token that a service refused to refresh it. */
  token(refused?: string): Promise<string | null>;
  /** Stops listening to other tabs and removes all listeners. */
  close(): void;
}
