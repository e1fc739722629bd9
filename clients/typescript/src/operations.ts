// Input, output and error codes of each operation, derived from the generated schema.

import type { operations } from "./schema.js";

type Responses<O extends keyof operations> = operations[O]["responses"];
type Success = 200 | 201 | 202 | 204;
type Content<R> = R extends { content: infer Kinds } ? Kinds[keyof Kinds] : undefined;
type Flat<T> = { [Key in keyof T]: T[Key] };

// biome-ignore lint/complexity/noBannedTypes: the identity of `&`
export type Empty = {};
type Part<T, Key extends keyof T> = [Exclude<T[Key], undefined>] extends [never]
  ? Empty
  : Exclude<T[Key], undefined>;
type Parameters<O extends keyof operations> = Part<operations[O]["parameters"], "path"> &
  Part<operations[O]["parameters"], "query">;
type Body<O extends keyof operations> = operations[O] extends {
  requestBody: { content: { "application/json": infer B } };
}
  ? B
  : operations[O] extends { requestBody?: { content: { "application/json": infer B } } }
    ? Partial<B>
    : Empty;
/** Without `transport`: the client sets it from its own `credentials` option. */
type Fields<O extends keyof operations> = Flat<Parameters<O> & Omit<Body<O>, "transport">>;

/** What a method takes: path, query and body parameters in one flat object. */
export type Input<O extends keyof operations> = keyof Fields<O> extends never
  ? Record<string, never>
  : Fields<O>;

/** What a method resolves to. */
export type Output<O extends keyof operations> = O extends keyof operations
  ? Content<Responses<O>[Extract<keyof Responses<O>, Success>]>
  : never;

type Failed<O extends keyof operations> = Content<Responses<O>[Exclude<keyof Responses<O>, Success>]>;
type Literal<C> = C extends string ? (string extends C ? never : C) : never;

/** The error codes that the server documents for an operation. */
export type Code<O extends keyof operations = keyof operations> = O extends keyof operations
  ? Literal<Extract<Failed<O>, { code: unknown }>["code"]>
  : never;
