// The client: a method for each row of the table, and who is signed in.
//
// What it must not do: let a late reply undo a newer sign-in (each request remembers the generation it began in), tell
// people that they are signed out where they are not, or show a token anywhere but in the header of a request.

import { CloakroomError } from "./error.js";
import { renewal, wait } from "./renewal.js";
import { send } from "./request.js";
import { callFor, type Id, routes, type Values } from "./routes.js";
import { hint, memoryStore, type Ticket } from "./store.js";
import { openTabs } from "./tabs.js";
import type {
  AuthState,
  Client,
  ClientOptions,
  Methods,
  Options,
  Output,
  RequestOptions,
  Why,
} from "./types.js";

interface Target {
  method: string;
  url: string;
  body?: unknown;
  open?: boolean;
}

type Shown = Output<"showSession">;
type Tokens = Output<"refreshTokens">;

export function createClient(options: ClientOptions): Client {
  const base = options.url.replace(/\/+$/, "");
  const name = `cloakroom:${base}`;
  const cookies = options.credentials === "cookie";
  const renews = options.credentials === "tokens";
  if (cookies && options.store) {
    throw new TypeError("In cookie mode there is nothing to store");
  }
  const store = options.store ?? memoryStore();
  const cookie = hint(name);
  const listeners = new Set<() => void>();
  let state: AuthState = { status: "loading" };
  let generation = 0;
  let restoring: Promise<AuthState> | undefined;

  function become(next: AuthState) {
    if (JSON.stringify(next) !== JSON.stringify(state)) {
      state = next;
      for (const listener of [...listeners]) {
        listener();
      }
    }
  }

  async function enter({ user, session }: Shown, ticket?: Ticket) {
    if (ticket && !cookies) {
      await store.save(ticket);
    }
    generation++;
    show({ user, session });
    tabs.tell("in");
  }

  function show({ user, session }: Shown) {
    if (cookies) {
      cookie.give(true);
    }
    become({ status: "signed-in", user, session });
  }

  async function leave(why: Why) {
    generation++;
    const whose = state.status === "signed-in" ? state.user.id : 0;
    if (cookies) {
      cookie.give(false);
    }
    if (state.status !== "signed-out") {
      become({ status: "signed-out", why });
    }
    if (why === "signed-out" || why === "deleted") {
      tabs.tell(whose);
    }
    await store.save(null);
  }

  const tabs = openTabs(options.channel ?? (typeof document === "object" ? name : false), (news) => {
    if (news === "in") {
      generation++;
      restoring = undefined;
      // What the other tab wrote into local storage may come later than this news.
      if (cookies) {
        cookie.give(true);
      }
      void restore();
    } else if (!news || state.status !== "signed-in" || state.user.id === news) {
      leave("elsewhere").catch(() => {});
    }
  });

  /** Sends it with that token, whatever the client's own is. */
  function transmit({ method, url, body }: Target, token?: string, signal?: AbortSignal) {
    return send(options.fetch ?? globalThis.fetch, { method, url, body, token, cookies, signal });
  }

  const post = (path: string, body: Values, token?: string, signal?: AbortSignal) =>
    transmit({ method: "POST", url: base + path, body }, token, signal);

  const renewals = renewal(
    name,
    store,
    async (refresh) => ticketOf((await post("/v1/tokens/refresh", { refresh_token: refresh })) as Tokens),
    () => generation,
  );

  /** Sends it with the client's credential, once more with a renewed one, and sees what a refusal means. */
  async function perform(target: Target, signal?: AbortSignal): Promise<unknown> {
    const at = generation;
    let ticket = target.open ? null : await store.load();
    try {
      return await transmit(target, ticket?.token, signal);
    } catch (error) {
      if (target.open || !refused(error)) {
        throw error;
      }
      if (ticket?.refresh) {
        const renewed = await wait(renewals.renew(ticket), signal);
        if (renewed) {
          ticket = renewed;
          try {
            return await transmit(target, ticket.token, signal);
          } catch (again) {
            if (!refused(again)) {
              throw again;
            }
          }
        }
      }
      const kept = await store.load();
      if (at === generation && kept?.token === ticket?.token && state.status !== "signed-out") {
        await leave("expired").catch(() => {});
      }
      throw error;
    }
  }

  async function run<O extends Id>(id: O, input?: Values, { signal }: Options = {}): Promise<Output<O>> {
    const { method, path, body, open } = callFor(id, input);
    return (await perform({ method, url: base + path, body, open }, signal)) as Output<O>;
  }

  /** Trades a password, or the token of a session, for a pair. */
  async function trade(body: Values, token: string | undefined, signal: AbortSignal | undefined) {
    const ticket = ticketOf((await post("/v1/tokens", body, token, signal)) as Tokens);
    const shown = await transmit({ method: "GET", url: `${base}/v1/session` }, ticket.token, signal);
    // Unlike a key, a pair always has a session.
    const { user, session } = shown as Output<"signIn">;
    await enter({ user, session }, ticket);
    return { expires_at: session.expires_at, user, session };
  }

  /** Gives the reply as it is where it started no session: somebody is to confirm an address first. */
  async function begin(id: "signIn" | "signUp", input: Values, given: Options = {}) {
    const reply = await run(id, cookies ? { ...input, transport: "cookie" } : input, given);
    if (!("session" in reply && reply.session)) {
      return reply;
    }
    const { user, session, token } = reply;
    if (renews && token) {
      return trade({}, token, given.signal);
    }
    await enter({ user, session }, token ? { token } : undefined);
    return reply;
  }

  /** Runs it, and then what is to follow if nobody signed in or out meanwhile. */
  async function runThen<O extends Id>(
    id: O,
    input: Values | undefined,
    given: Options | undefined,
    then: (reply: Output<O>) => unknown,
  ) {
    const at = generation;
    const reply = await run(id, input, given);
    if (at === generation) {
      await then(reply);
    }
    return reply;
  }

  async function leaveUnless(stays: boolean, why: Why = "signed-out") {
    if (!stays) {
      await leave(why);
    }
  }

  async function askAgain() {
    if (state.status === "signed-in") {
      await restore();
    }
  }

  const methods = Object.fromEntries(
    (Object.keys(routes) as Id[]).map((id) => [
      id,
      (input?: Values, given?: Options) => run(id, input, given),
    ]),
  ) as unknown as Methods;

  const own: Partial<Methods> = {
    signUp: (input, given) => begin("signUp", input, given) as Promise<Output<"signUp">>,
    signIn: (input, given) =>
      renews
        ? trade(input, undefined, given?.signal)
        : (begin("signIn", input, given) as Promise<Output<"signIn">>),
    async signOut(_, { signal } = {}) {
      const at = generation;
      await renewals.settled();
      const ticket = await store.load();
      try {
        if (ticket?.refresh) {
          await post("/v1/tokens/revoke", { token: ticket.refresh }, undefined, signal);
        } else if (ticket || cookies) {
          await transmit({ method: "DELETE", url: `${base}/v1/session` }, ticket?.token, signal);
        }
      } catch (error) {
        // A cookie stays until the server takes it back, but a token is gone when it is forgotten.
        const gone =
          refused(error) || (!cookies && CloakroomError.is(error) && error.code === "network_error");
        if (!gone) {
          throw error;
        }
      }
      if (at === generation) {
        await leave("signed-out");
      }
      return { message: "Logged out" };
    },
    rotateSession: (input, given) =>
      runThen("rotateSession", input, given, (reply) =>
        enter(reply, reply.token ? { token: reply.token } : undefined),
      ),
    endSession: (input, given) =>
      runThen("endSession", input, given, () =>
        leaveUnless(state.status !== "signed-in" || state.session?.id !== input.id),
      ),
    endSessions: (input, given) =>
      runThen("endSessions", input, given, () => leaveUnless(input?.except === "current")),
    deleteAccount: (input, given) => runThen("deleteAccount", input, given, () => leave("deleted")),
    resetPassword: (input, given) => runThen("resetPassword", input, given, askAgain),
    confirmAddress: (input, given) => runThen("confirmAddress", input, given, askAgain),
    showSession: (input, given) => runThen("showSession", input, given, show),
    showUser: (input, given) =>
      runThen("showUser", input, given, ({ user }) => {
        if (state.status === "signed-in") {
          become({ ...state, user });
        }
      }),
  };

  /** Asks once, however many want to know meanwhile. */
  function restore(): Promise<AuthState> {
    if (!restoring) {
      const mine = ask().finally(() => {
        if (restoring === mine) {
          restoring = undefined;
        }
      });
      restoring = mine;
    }
    return restoring;
  }

  async function ask(): Promise<AuthState> {
    const at = generation;
    try {
      if (cookies ? cookie.given() : await store.load()) {
        await client.showSession();
      } else if (at === generation && state.status !== "signed-out") {
        become(
          state.status === "signed-in"
            ? { status: "signed-out", why: "elsewhere" }
            : { status: "signed-out" },
        );
      }
    } catch (error) {
      if (state.status === "loading" || state.status === "unreachable") {
        become({ status: "unreachable", error: CloakroomError.is(error) ? error : storeFailed() });
      }
    }
    return state;
  }

  const client: Client = Object.assign(methods, own, {
    state: () => state,
    onChange(listener: () => void) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    restore,
    async request<T>(method: string, path: string, { query = {}, body, signal }: RequestOptions = {}) {
      const url = new URL(/^[a-z]+:/i.test(path) ? path : base + path);
      if (url.origin !== new URL(base).origin) {
        throw new TypeError("No other origin gets the credential");
      }
      for (const [key, value] of Object.entries(query)) {
        if (value !== undefined) {
          url.searchParams.set(key, String(value));
        }
      }
      return (await perform({ method, url: url.href, body }, signal)) as T;
    },
    async token(refusedToken?: string) {
      const ticket = await store.load();
      return ticket?.refresh && ticket.token === refusedToken
        ? ((await renewals.renew(ticket))?.token ?? null)
        : (ticket?.token ?? null);
    },
    close() {
      tabs.close();
      listeners.clear();
    },
  });
  return client;
}

/** Whether the server does not know the credential, or no longer. */
function refused(error: unknown): boolean {
  return (
    CloakroomError.is(error) &&
    error.status === 401 &&
    ["unauthorized", "token_invalid", "token_expired", "invalid_api_key"].includes(error.code)
  );
}

function ticketOf({ access_token: token, refresh_token: refresh }: Tokens): Ticket {
  return refresh ? { token, refresh } : { token };
}

function storeFailed(): CloakroomError {
  return new CloakroomError(0, { code: "store_failed", error: "What proves who you are cannot be read" });
}
