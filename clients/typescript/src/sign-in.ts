// The ways in: each starts a session, perhaps after a second factor, and keeps its token as the credential mode says.

import type { AuthStateHolder, PendingReply } from "./auth-state.js";
import { type AnyCode, CloakroomError } from "./error.js";
import type { Code, Output } from "./operations.js";
import { requestFor, type Values } from "./routes.js";
import type { StoredTokens } from "./store.js";
import type {
  CallOptions,
  Client,
  CredentialMode,
  SecondFactorRequired,
  SignedIn,
  SignInOperation,
} from "./types.js";

export type CurrentSession = Output<"showSession">;
export type TokenPair = Output<"refreshTokens">;

interface Context {
  auth: AuthStateHolder;
  mode: CredentialMode;
  send(
    target: { method: string; path: string; body?: unknown; resolveOn?: Code },
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<unknown>;
  becomeSignedIn(current: CurrentSession, tokens?: StoredTokens): Promise<void>;
}

export function signInMethods({ auth, mode, send, becomeSignedIn }: Context) {
  /** Posts a password, or what replaces one. The client is pending afterwards if a second factor is required. */
  async function authenticate<Reply extends object>(
    path: string,
    body: Values,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Reply | SecondFactorRequired> {
    const target = { method: "POST", path, body, resolveOn: "second_factor_required" } as const;
    const reply = (await send(target, token, signal)) as Reply | PendingReply;
    return "pending_token" in reply ? auth.becomePending(reply) : reply;
  }

  /** Resolves to the bare reply if the server started no session because the address must be confirmed first. */
  async function startSession(id: "signUp" | SignInOperation, input: Values, { signal }: CallOptions = {}) {
    const body = mode === "cookie" ? { ...input, transport: "cookie" } : input;
    const reply = await authenticate<Output<typeof id>>(requestFor(id).path, body, undefined, signal);
    if (!("session" in reply && reply.session)) {
      return reply;
    }
    const { user, session, token } = reply;
    if (mode === "tokens" && token) {
      return exchangeForTokens({}, token, signal);
    }
    await becomeSignedIn({ user, session }, token ? { token } : undefined);
    return reply;
  }

  /** Exchanges a password, or the token of a session, for an access and a refresh token. */
  async function exchangeForTokens(body: Values, token: string | undefined, signal: AbortSignal | undefined) {
    const reply = await authenticate<TokenPair>("/v1/tokens", body, token, signal);
    if ("status" in reply) {
      return reply;
    }
    const tokens = toStored(reply);
    const current = await send({ method: "GET", path: "/v1/session" }, tokens.token, signal);
    // An access token, unlike an API key, always belongs to a session.
    const { user, session } = current as Output<"signIn">;
    await becomeSignedIn({ user, session }, tokens);
    return { expires_at: session.expires_at, user, session };
  }

  const methods: Pick<Client, "signUp" | SignInOperation> = {
    signUp: (input, callOptions) => startSession("signUp", input, callOptions) as Promise<Output<"signUp">>,
    signIn: (input, callOptions) =>
      withStatus(
        // `POST /v1/tokens` takes a password only.
        mode === "tokens" && "password" in input
          ? exchangeForTokens(input, undefined, callOptions?.signal)
          : startSession("signIn", input, callOptions),
      ),
    signInWithPasskey: (input, callOptions) =>
      withStatus(startSession("signInWithPasskey", input, callOptions)) as Promise<SignedIn>,
    exchangeProviderSignIn: (input, callOptions) =>
      withStatus(startSession("exchangeProviderSignIn", input, callOptions)),
    finishIdentityLink: (input, callOptions) =>
      withStatus(startSession("finishIdentityLink", input, callOptions)),
    async presentSecondFactor(input, callOptions) {
      const presented = auth.pending();
      const body = { ...input, pending_token: presented?.token ?? "" };
      try {
        return (await withStatus(startSession("presentSecondFactor", body, callOptions))) as SignedIn;
      } catch (error) {
        if (presented === auth.pending() && hasCode(error, ["pending_sign_in_invalid"])) {
          auth.cancelSignIn();
        }
        throw error;
      }
    },
  };
  return methods;
}

/** Whether the server refused a credential, a code or a pending sign-in for one of these reasons. */
export function hasCode(error: unknown, codes: AnyCode[]): boolean {
  return CloakroomError.is(error) && error.status === 401 && codes.includes(error.code);
}

export function toStored({ access_token: token, refresh_token: refresh }: TokenPair): StoredTokens {
  return refresh ? { token, refresh } : { token };
}

/** The reply of a finished sign-in with its status; `SecondFactorRequired` has its own. */
async function withStatus(reply: Promise<object>) {
  return { status: "signed-in", ...(await reply) } as SignedIn | SecondFactorRequired;
}
