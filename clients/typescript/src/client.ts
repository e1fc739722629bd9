// The client: one method for each row of the route table, and the sign-in state.
//
// # Threats
// - a late response undoes a newer sign-in: each request remembers the generation in which it started
// - an outage looks like a sign-out: only a refused credential signs out
// - a leaked token: it is sent in the `Authorization` header only
// - a stolen pending sign-in: its token is in no state, error, store or message to other tabs

import { type AnyCode, CloakroomError } from "./error.js";
import type { Code, Output } from "./operations.js";
import { tokenRefresher, waitFor } from "./refresh.js";
import { send } from "./request.js";
import { type OperationId, requestFor, routes, type Values } from "./routes.js";
import type { components } from "./schema.js";
import { memoryStore, type StoredTokens, signInHint } from "./store.js";
import { openTabChannel } from "./tab-channel.js";
import type {
  AuthState,
  CallOptions,
  Client,
  ClientOptions,
  Methods,
  RequestOptions,
  SecondFactorRequired,
  SignedIn,
  SignOutReason,
} from "./types.js";

interface Target {
  method: string;
  url: string;
  body?: unknown;
  isPublic?: boolean;
  resolveOn?: Code;
}

type CurrentSession = Output<"showSession">;
type TokenPair = Output<"refreshTokens">;
/** The body of a 401 `second_factor_required`. */
type PendingReply = Required<
  Pick<components["schemas"]["Failure"], "pending_token" | "methods" | "expires_at">
>;

export function createClient(options: ClientOptions): Client {
  const base = options.url.replace(/\/+$/, "");
  const name = `cloakroom:${base}`;
  const withCookies = options.credentials === "cookie";
  const withTokens = options.credentials === "tokens";
  if (withCookies && options.store) {
    throw new TypeError("Cookie mode takes no store");
  }
  const store = options.store ?? memoryStore();
  const hint = signInHint(name);
  const listeners = new Set<() => void>();
  let state: AuthState = { status: "loading" };
  /** Counts sign-ins and sign-outs. */
  let generation = 0;
  /** Set while the state is `second-factor`; `before` is the state to go back to. */
  let pending: { token: string; before: AuthState } | undefined;
  let restoring: Promise<AuthState> | undefined;

  function setState(next: AuthState) {
    if (next.status !== "second-factor") {
      pending = undefined;
    }
    if (JSON.stringify(next) !== JSON.stringify(state)) {
      state = next;
      for (const listener of [...listeners]) {
        listener();
      }
    }
  }

  async function becomeSignedIn({ user, session }: CurrentSession, tokens?: StoredTokens) {
    if (tokens && !withCookies) {
      await store.save(tokens);
    }
    generation++;
    setSignedIn({ user, session });
    tabs.post("signed-in");
  }

  function setSignedIn({ user, session }: CurrentSession) {
    if (withCookies) {
      hint.set(true);
    }
    setState({ status: "signed-in", user, session });
  }

  function becomePending({ pending_token, methods, expires_at }: PendingReply): SecondFactorRequired {
    generation++;
    pending = { token: pending_token, before: pending?.before ?? state };
    const next: SecondFactorRequired = { status: "second-factor", methods, expiresAt: expires_at };
    setState(next);
    return next;
  }

  function cancelSignIn() {
    if (pending) {
      const { before } = pending;
      setState(before.status === "loading" ? { status: "signed-out" } : before);
    }
  }

  async function becomeSignedOut(reason: SignOutReason) {
    generation++;
    const userId = state.status === "signed-in" ? state.user.id : 0;
    if (withCookies) {
      hint.set(false);
    }
    if (state.status !== "signed-out") {
      setState({ status: "signed-out", reason });
    }
    if (reason === "signed-out" || reason === "deleted") {
      tabs.post(userId);
    }
    await store.save(null);
  }

  const channel = options.channel ?? (typeof document === "object" ? name : false);
  const tabs = openTabChannel(channel, (message) => {
    if (message === "signed-in") {
      generation++;
      restoring = undefined;
      // The message may arrive before the other tab's write to local storage is visible here.
      if (withCookies) {
        hint.set(true);
      }
      void restoreShared();
    } else if (!pending && (!message || state.status !== "signed-in" || state.user.id === message)) {
      becomeSignedOut("other-tab").catch(() => {});
    }
  });

  function sendWith(
    token: string | undefined,
    { method, url, body, resolveOn }: Target,
    signal?: AbortSignal,
  ) {
    const request = { method, url, body, token, withCookies, resolveOn, signal };
    return send(options.fetch ?? globalThis.fetch, request);
  }

  const post = (path: string, body: Values, token?: string, signal?: AbortSignal) =>
    sendWith(token, { method: "POST", url: base + path, body }, signal);

  /** Posts a password, or what replaces one. The client is pending afterwards if a second factor is required. */
  async function authenticate<Reply extends object>(
    path: string,
    body: Values,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Reply | SecondFactorRequired> {
    const target = { method: "POST", url: base + path, body, resolveOn: "second_factor_required" } as const;
    const reply = (await sendWith(token, target, signal)) as Reply | PendingReply;
    return "pending_token" in reply ? becomePending(reply) : reply;
  }

  const refresher = tokenRefresher(
    name,
    store,
    async (refreshToken) =>
      toStored((await post("/v1/tokens/refresh", { refresh_token: refreshToken })) as TokenPair),
    () => generation,
  );

  /** Sends with the stored credential. If it is refused: refreshes it and tries once more, else signs out. */
  async function sendAuthenticated(target: Target, signal?: AbortSignal): Promise<unknown> {
    const startedIn = generation;
    let tokens = target.isPublic ? null : await store.load();
    try {
      return await sendWith(tokens?.token, target, signal);
    } catch (error) {
      if (target.isPublic || !isRefused(error)) {
        throw error;
      }
      if (tokens?.refresh) {
        const refreshed = await waitFor(refresher.refresh(tokens), signal);
        if (refreshed) {
          tokens = refreshed;
          try {
            return await sendWith(tokens.token, target, signal);
          } catch (secondError) {
            if (!isRefused(secondError)) {
              throw secondError;
            }
          }
        }
      }
      const stored = await store.load();
      if (startedIn === generation && stored?.token === tokens?.token && state.status !== "signed-out") {
        await becomeSignedOut("expired").catch(() => {});
      }
      throw error;
    }
  }

  async function call<O extends OperationId>(
    id: O,
    input?: Values,
    { signal }: CallOptions = {},
  ): Promise<Output<O>> {
    const { method, path, body, isPublic } = requestFor(id, input);
    return (await sendAuthenticated({ method, url: base + path, body, isPublic }, signal)) as Output<O>;
  }

  /** Calls an operation and then `update`, unless a sign-in or sign-out happened meanwhile. */
  async function callThen<O extends OperationId>(
    id: O,
    input: Values | undefined,
    callOptions: CallOptions | undefined,
    update: (reply: Output<O>) => unknown,
  ) {
    const startedIn = generation;
    const reply = await call(id, input, callOptions);
    if (startedIn === generation) {
      await update(reply);
    }
    return reply;
  }

  /** Resolves to the bare reply if the server started no session because the address must be confirmed first. */
  async function startSession(
    id: "signIn" | "signUp" | "presentSecondFactor",
    input: Values,
    { signal }: CallOptions = {},
  ) {
    const body = withCookies ? { ...input, transport: "cookie" } : input;
    const reply = await authenticate<Output<typeof id>>(requestFor(id).path, body, undefined, signal);
    if (!("session" in reply && reply.session)) {
      return reply;
    }
    const { user, session, token } = reply;
    if (withTokens && token) {
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
    const current = await sendWith(tokens.token, { method: "GET", url: `${base}/v1/session` }, signal);
    // An access token, unlike an API key, always belongs to a session.
    const { user, session } = current as Output<"signIn">;
    await becomeSignedIn({ user, session }, tokens);
    return { expires_at: session.expires_at, user, session };
  }

  async function revalidate() {
    if (state.status === "signed-in") {
      await restore();
    }
  }

  const methods = Object.fromEntries(
    (Object.keys(routes) as OperationId[]).map((id) => [
      id,
      (input?: Values, callOptions?: CallOptions) => call(id, input, callOptions),
    ]),
  ) as unknown as Methods;

  const overrides: Partial<Client> = {
    signUp: (input, callOptions) => startSession("signUp", input, callOptions) as Promise<Output<"signUp">>,
    signIn: (input, callOptions) =>
      withStatus(
        withTokens
          ? exchangeForTokens(input, undefined, callOptions?.signal)
          : startSession("signIn", input, callOptions),
      ),
    async presentSecondFactor(input, callOptions) {
      const presented = pending;
      const body = { ...input, pending_token: presented?.token ?? "" };
      try {
        return (await withStatus(startSession("presentSecondFactor", body, callOptions))) as SignedIn;
      } catch (error) {
        if (presented === pending && hasCode(error, ["pending_sign_in_invalid"])) {
          cancelSignIn();
        }
        throw error;
      }
    },
    async signOut(_, { signal } = {}) {
      const startedIn = generation;
      await refresher.settled();
      const tokens = await store.load();
      try {
        if (tokens?.refresh) {
          await post("/v1/tokens/revoke", { token: tokens.refresh }, undefined, signal);
        } else if (tokens || withCookies) {
          await sendWith(tokens?.token, { method: "DELETE", url: `${base}/v1/session` }, signal);
        }
      } catch (error) {
        // Offline, a stored token can be forgotten; a cookie can be cleared by the server only.
        const canForget =
          isRefused(error) || (!withCookies && CloakroomError.is(error) && error.code === "network_error");
        if (!canForget) {
          throw error;
        }
      }
      if (startedIn === generation) {
        await becomeSignedOut("signed-out");
      }
      return { message: "Logged out" };
    },
    rotateSession: (input, callOptions) => callThen("rotateSession", input, callOptions, takeNewToken),
    reauthenticate: (input, callOptions) => callThen("reauthenticate", input, callOptions, takeNewToken),
    changePassword: (input, callOptions) => callThen("changePassword", input, callOptions, takeNewToken),
    changeAddress: (input, callOptions) => callThen("changeAddress", input, callOptions, takeNewToken),
    endSession: (input, callOptions) =>
      callThen("endSession", input, callOptions, async () => {
        if (state.status === "signed-in" && state.session?.id === input.id) {
          await becomeSignedOut("signed-out");
        }
      }),
    endSessions: (input, callOptions) =>
      callThen("endSessions", input, callOptions, async () => {
        if (input?.except !== "current") {
          await becomeSignedOut("signed-out");
        }
      }),
    deleteAccount: (input, callOptions) =>
      callThen("deleteAccount", input, callOptions, () => becomeSignedOut("deleted")),
    resetPassword: (input, callOptions) => callThen("resetPassword", input, callOptions, revalidate),
    confirmAddress: (input, callOptions) => callThen("confirmAddress", input, callOptions, revalidate),
    showSession: (input, callOptions) => callThen("showSession", input, callOptions, setSignedIn),
    showUser: (input, callOptions) => callThen("showUser", input, callOptions, setUser),
    updateUser: (input, callOptions) => callThen("updateUser", input, callOptions, setUser),
  };

  /** The session continues with another token; a cookie has been replaced by the reply itself. */
  function takeNewToken(reply: CurrentSession & { token?: string }) {
    return becomeSignedIn(reply, reply.token ? { token: reply.token } : undefined);
  }

  function setUser({ user }: Output<"showUser">) {
    if (state.status === "signed-in") {
      setState({ ...state, user });
    }
  }

  /** A sign-in that waits for a second factor goes on. */
  async function restore(): Promise<AuthState> {
    return pending ? state : restoreShared();
  }

  /** Concurrent calls share one request. */
  function restoreShared(): Promise<AuthState> {
    if (!restoring) {
      const promise = loadSession().finally(() => {
        if (restoring === promise) {
          restoring = undefined;
        }
      });
      restoring = promise;
    }
    return restoring;
  }

  async function loadSession(): Promise<AuthState> {
    const startedIn = generation;
    try {
      if (withCookies ? hint.get() : await store.load()) {
        await client.showSession();
      } else if (startedIn === generation && state.status !== "signed-out" && !pending) {
        setState(
          state.status === "signed-in"
            ? { status: "signed-out", reason: "other-tab" }
            : { status: "signed-out" },
        );
      }
    } catch (error) {
      if (state.status !== "signed-in" && state.status !== "signed-out" && !pending) {
        const failure = CloakroomError.is(error) ? error : storeFailed();
        setState({ status: isRestriction(failure) ? "restricted" : "unreachable", error: failure });
      }
    }
    return state;
  }

  const client: Client = Object.assign(methods, overrides, {
    state: () => state,
    onChange(listener: () => void) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    restore,
    cancelSignIn,
    async request<T>(method: string, path: string, { query = {}, body, signal }: RequestOptions = {}) {
      const url = new URL(/^[a-z]+:/i.test(path) ? path : base + path);
      if (url.origin !== new URL(base).origin) {
        throw new TypeError("The credential is sent to the server's own origin only");
      }
      for (const [key, value] of Object.entries(query)) {
        if (value !== undefined) {
          url.searchParams.set(key, String(value));
        }
      }
      return (await sendAuthenticated({ method, url: url.href, body }, signal)) as T;
    },
    async token(refused?: string) {
      const tokens = await store.load();
      return tokens?.refresh && tokens.token === refused
        ? ((await refresher.refresh(tokens))?.token ?? null)
        : (tokens?.token ?? null);
    },
    close() {
      tabs.close();
      listeners.clear();
    },
  });
  return client;
}

/** Whether the server refused the credential as unknown, expired or revoked. */
function isRefused(error: unknown): boolean {
  return hasCode(error, ["unauthorized", "token_invalid", "token_expired", "invalid_api_key"]);
}

/** Whether the server refused a credential, a code or a pending sign-in for one of these reasons. */
function hasCode(error: unknown, codes: AnyCode[]): boolean {
  return CloakroomError.is(error) && error.status === 401 && codes.includes(error.code);
}

/** The reply of a finished sign-in with its status; `SecondFactorRequired` has its own. */
async function withStatus(reply: Promise<object>) {
  return { status: "signed-in", ...(await reply) } as SignedIn | SecondFactorRequired;
}

function toStored({ access_token: token, refresh_token: refresh }: TokenPair): StoredTokens {
  return refresh ? { token, refresh } : { token };
}

/** Whether a valid credential was refused: it lacks a scope, or has no user. */
function isRestriction({ code }: CloakroomError): boolean {
  return code === "insufficient_scope" || code === "forbidden";
}

function storeFailed(): CloakroomError {
  return new CloakroomError(0, { code: "store_failed", error: "Stored tokens cannot be read" });
}
