// What goes in and comes out of every method, derived from the generated schema: nothing is said twice.

import type { CloakroomError } from "./error.js";
import type { Id } from "./routes.js";
import type { components, operations } from "./schema.js";
import type { Store } from "./store.js";

export type User = components["schemas"]["User"];
export type Session = components["schemas"]["Session"];
export type Project = components["schemas"]["Project"];
export type ApiKey = components["schemas"]["ApiKey"];

type Responses<O extends keyof operations> = operations[O]["responses"];
type Success = 200 | 201 | 202 | 204;
type Content<R> = R extends { content: infer Kinds } ? Kinds[keyof Kinds] : undefined;
type Flat<T> = { [Key in keyof T]: T[Key] };

// biome-ignore lint/complexity/noBannedTypes: the unit of `&`
type Nothing = {};
type Part<T, Key extends keyof T> = [Exclude<T[Key], undefined>] extends [never]
  ? Nothing
  : Exclude<T[Key], undefined>;
type Parameters<O extends keyof operations> = Part<operations[O]["parameters"], "path"> &
  Part<operations[O]["parameters"], "query">;
type Body<O extends keyof operations> = operations[O] extends {
  requestBody: { content: { "application/json": infer B } };
}
  ? B
  : operations[O] extends { requestBody?: { content: { "application/json": infer B } } }
    ? Partial<B>
    : Nothing;
/** `transport` is left out: the client's own `credentials` says it. */
type Fields<O extends keyof operations> = Flat<Parameters<O> & Omit<Body<O>, "transport">>;

/** What a method takes: the names of its path, its query and its body in one flat object. */
export type Input<O extends keyof operations> = keyof Fields<O> extends never
  ? Record<string, never>
  : Fields<O>;

/** What a method resolves to. */
export type Output<O extends keyof operations> = O extends keyof operations
  ? Content<Responses<O>[Extract<keyof Responses<O>, Success>]>
  : never;

type Failed<O extends keyof operations> = Content<Responses<O>[Exclude<keyof Responses<O>, Success>]>;
type Named<C> = C extends string ? (string extends C ? never : C) : never;

/** The codes that a method can fail with, but for those of the client itself. */
export type Code<O extends keyof operations = keyof operations> = O extends keyof operations
  ? Named<Extract<Failed<O>, { code: unknown }>["code"]>
  : never;

/** Every code of a `CloakroomError`: those of the server, and some of the client itself. */
export type AnyCode =
  | Code
  /** The server could not be reached, or broke off. */
  | "network_error"
  /** What came was not Cloakroom's: a proxy's page, perhaps. */
  | "unexpected_reply"
  /** The store given to the client threw. */
  | "store_failed";

export interface Options {
  signal?: AbortSignal | undefined;
}

/** One method for each operation of the server. */
export type Methods = {
  [O in Id]: Nothing extends Input<O>
    ? (input?: Input<O>, options?: Options) => Promise<Output<O>>
    : (input: Input<O>, options?: Options) => Promise<Output<O>>;
};

/** Why nobody is signed in, where the client saw it happen. */
export type Why = "signed-out" | "expired" | "elsewhere" | "deleted";

export type AuthState =
  | { status: "loading" }
  /** Without a session where the store holds an API key. */
  | { status: "signed-in"; user: User; session: Session | null }
  | { status: "signed-out"; why?: Why }
  /** The server could not be asked: offline, or out of order. */
  | { status: "unreachable"; error: CloakroomError };

/** How the client proves who it is: an opaque token, the server's cookie, or short-lived tokens that are renewed. */
export type Credentials = "session" | "cookie" | "tokens";

export type ClientOptions = {
  /** Of the server, without `/v1`. */
  url: string;
  /** `globalThis.fetch` at the time of each call by default. */
  fetch?: typeof globalThis.fetch;
  /** The name under which tabs tell each other of sign-in and sign-out; `false`: they do not. */
  channel?: string | false;
} & (
  | { credentials?: "session" | "tokens" /** Where the token is; in memory by default. */; store?: Store }
  | { credentials: "cookie"; store?: never }
);

export interface RequestOptions extends Options {
  query?: Record<string, string | number | boolean | undefined>;
  /** Goes as JSON. */
  body?: unknown;
}

export interface Client extends Methods {
  /** The same object until something changes. */
  state(): AuthState;
  /** Calls on every change, until what it returns is called. */
  onChange(listener: () => void): () => void;
  /** Finds out who is signed in; asks the server only if somebody may be. Never rejects. */
  restore(): Promise<AuthState>;
  /** A request of one's own with the same credential, to the server's own origin only. */
  request<T = unknown>(method: string, path: string, options?: RequestOptions): Promise<T>;
  /** The token for services of one's own; `null` in cookie mode. Give the one they refused to get a renewed one. */
  token(refused?: string): Promise<string | null>;
  /** Stops hearing from other tabs. */
  close(): void;
}
