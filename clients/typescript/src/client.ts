// The client: one method for each row of the route table, and the credential that they are sent with.
//
// # Threats
// - an outage looks like a sign-out: only a refused credential signs out
// - a leaked token: it is sent in the `Authorization` header only

import { holdAuthState } from "./auth-state.js";
import { CloakroomError } from "./error.js";
import type { Code, Output } from "./operations.js";
import { tokenRefresher, waitFor } from "./refresh.js";
import { send } from "./request.js";
import { type OperationId, requestFor, routes, type Values } from "./routes.js";
import { type CurrentSession, hasCode, signInMethods, type TokenPair, toStored } from "./sign-in.js";
import { memoryStore, type StoredTokens, signInHint } from "./store.js";
import { openTabChannel } from "./tab-channel.js";
import type {
  AuthState,
  CallOptions,
  Client,
  ClientOptions,
  Methods,
  RequestOptions,
  SignOutReason,
} from "./types.js";

interface Target {
  method: string;
  url: string;
  body?: unknown;
  isPublic?: boolean;
  resolveOn?: Code | undefined;
}

export function createClient(options: ClientOptions): Client {
  const base = options.url.replace(/\/+$/, "");
  const name = `cloakroom:${base}`;
  const mode = options.credentials ?? "session";
  const withCookies = mode === "cookie";
  if (withCookies && options.store) {
    throw new TypeError("Cookie mode takes no store");
  }
  const store = options.store ?? memoryStore();
  const hint = signInHint(name);
  const auth = holdAuthState();
  let restoring: Promise<AuthState> | undefined;

  async function becomeSignedIn({ user, session }: CurrentSession, tokens?: StoredTokens) {
    if (tokens && !withCookies) {
      await store.save(tokens);
    }
    auth.startGeneration();
    setSignedIn({ user, session });
    tabs.post("signed-in");
  }

  function setSignedIn({ user, session }: CurrentSession) {
    if (withCookies) {
      hint.set(true);
    }
    auth.set({ status: "signed-in", user, session });
  }

  async function becomeSignedOut(reason: SignOutReason) {
    auth.startGeneration();
    const state = auth.get();
    const userId = state.status === "signed-in" ? state.user.id : 0;
    if (withCookies) {
      hint.set(false);
    }
    if (state.status !== "signed-out") {
      auth.set({ status: "signed-out", reason });
    }
    if (reason === "signed-out" || reason === "deleted") {
      tabs.post(userId);
    }
    await store.save(null);
  }

  const channel = options.channel ?? (typeof document === "object" ? name : false);
  const tabs = openTabChannel(channel, (message) => {
    if (message === "signed-in") {
      auth.startGeneration();
      restoring = undefined;
      // The message may arrive before the other tab's write to local storage is visible here.
      if (withCookies) {
        hint.set(true);
      }
      void restoreShared();
    } else if (!auth.pending()) {
      const state = auth.get();
      if (!message || state.status !== "signed-in" || state.user.id === message) {
        becomeSignedOut("other-tab").catch(() => {});
      }
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

  const refresher = tokenRefresher(
    name,
    store,
    async (refreshToken) =>
      toStored((await post("/v1/tokens/refresh", { refresh_token: refreshToken })) as TokenPair),
    auth.generation,
  );

  /** Sends with the stored credential. If it is refused: refreshes it and tries once more, else signs out. */
  async function sendAuthenticated(target: Target, signal?: AbortSignal): Promise<unknown> {
    const startedIn = auth.generation();
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
      if (
        startedIn === auth.generation() &&
        stored?.token === tokens?.token &&
        auth.get().status !== "signed-out"
      ) {
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
    const startedIn = auth.generation();
    const reply = await call(id, input, callOptions);
    if (startedIn === auth.generation()) {
      await update(reply);
    }
    return reply;
  }

  async function revalidate() {
    if (auth.get().status === "signed-in") {
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
    ...signInMethods({
      auth,
      mode,
      send: ({ path, ...target }, token, signal) => sendWith(token, { ...target, url: base + path }, signal),
      becomeSignedIn,
    }),
    async signOut(_, { signal } = {}) {
      const startedIn = auth.generation();
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
      if (startedIn === auth.generation()) {
        await becomeSignedOut("signed-out");
      }
      return { message: "Logged out" };
    },
    rotateSession: (input, callOptions) => callThen("rotateSession", input, callOptions, takeNewToken),
    reauthenticate: (input, callOptions) => callThen("reauthenticate", input, callOptions, takeNewToken),
    changePassword: (input, callOptions) => callThen("changePassword", input, callOptions, takeNewToken),
    removePassword: (input, callOptions) => callThen("removePassword", input, callOptions, takeNewToken),
    changeAddress: (input, callOptions) => callThen("changeAddress", input, callOptions, takeNewToken),
    endSession: (input, callOptions) =>
      callThen("endSession", input, callOptions, async () => {
        const state = auth.get();
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
    enrolTotp: (input, callOptions) => callThen("enrolTotp", input, callOptions, endEnrolment),
    removeTotp: (input, callOptions) => callThen("removeTotp", input, callOptions, revalidate),
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
    const state = auth.get();
    if (state.status === "signed-in") {
      auth.set({ ...state, user });
    }
  }

  /** A second factor that is required is missing no more. */
  function endEnrolment() {
    const state = auth.get();
    if (state.status === "signed-in" && state.session) {
      const { enrol_until, ...session } = state.session;
      auth.set({ ...state, session });
    }
  }

  /** A sign-in that waits for a second factor goes on. */
  async function restore(): Promise<AuthState> {
    return auth.pending() ? auth.get() : restoreShared();
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
    const startedIn = auth.generation();
    try {
      if (withCookies ? hint.get() : await store.load()) {
        await client.showSession();
      } else if (startedIn === auth.generation() && auth.get().status !== "signed-out" && !auth.pending()) {
        auth.set(
          auth.get().status === "signed-in"
            ? { status: "signed-out", reason: "other-tab" }
            : { status: "signed-out" },
        );
      }
    } catch (error) {
      const { status } = auth.get();
      if (status !== "signed-in" && status !== "signed-out" && !auth.pending()) {
        const failure = CloakroomError.is(error) ? error : storeFailed();
        auth.set({ status: isRestriction(failure) ? "restricted" : "unreachable", error: failure });
      }
    }
    return auth.get();
  }

  const client: Client = Object.assign(methods, overrides, {
    credentials: mode,
    state: auth.get,
    onChange: auth.onChange,
    restore,
    cancelSignIn: auth.cancelSignIn,
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
      auth.removeListeners();
    },
  });
  return client;
}

/** Whether the server refused the credential as unknown, expired or revoked. */
function isRefused(error: unknown): boolean {
  return hasCode(error, ["unauthorized", "token_invalid", "token_expired", "invalid_api_key"]);
}

/** Whether a valid credential was refused: it lacks a scope, or has no user. */
function isRestriction({ code }: CloakroomError): boolean {
  return code === "insufficient_scope" || code === "forbidden";
}

function storeFailed(): CloakroomError {
  return new CloakroomError(0, { code: "store_failed", error: "Stored tokens cannot be read" });
}
