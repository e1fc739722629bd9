// What the compiler accepts and rejects: checked by `npm run types`, never executed.

import { expectTypeOf, it } from "vitest";
import {
  type ApiKey,
  type AuthState,
  type Client,
  type Code,
  createClient,
  type Input,
  memoryStore,
  type Project,
  type SecondFactorRequired,
  type User,
} from "../src/index.js";
import { assertion, registration } from "./unit/fake-browser.js";

// biome-ignore lint/correctness/noUnusedVariables: compiled, never called
function calls(client: Client) {
  expectTypeOf(client.showUser()).resolves.toEqualTypeOf<{ user: User }>();
  expectTypeOf(client.listProjects({ limit: 5 })).resolves.toHaveProperty("next_cursor");
  expectTypeOf(client.createProject({ title: "Coats" })).resolves.toEqualTypeOf<{ project: Project }>();
  expectTypeOf(client.deleteProject({ id: 1 })).resolves.toEqualTypeOf<undefined>();
  expectTypeOf(client.listKeys()).resolves.toHaveProperty("keys");
  expectTypeOf(client.listApiKeys()).resolves.toEqualTypeOf<{ api_keys: ApiKey[] }>();
  client.createTokens();
  client.createTokens({ scope: "projects:read" });
  client.verify();
  client.endSessions();
  client.endSessions({ except: "current" });
  client.deleteAccount();
  client.deleteAccount({ password_challenge: "x" });
  client.updateProject({ id: 1, description: null });
  client.signOut({}, { signal: new AbortController().signal });

  // @ts-expect-error: no such field
  client.createProject({ name: "Coats" });
  // @ts-expect-error: `title` is required
  client.createProject();
  // @ts-expect-error: `id` is required
  client.showProject({});
  // @ts-expect-error: an id is a number
  client.showProject({ id: "1" });
  // @ts-expect-error: `password` is required
  void client.signIn({ email_address: "a@example.com" });
  // @ts-expect-error: set by the `credentials` option
  void client.signIn({ email_address: "a@example.com", password: "x", transport: "cookie" });
  void client.signIn({ request_token: "crm_x", code: "01234567" });
  void client.signIn({ link_token: "a.b" });
  // @ts-expect-error: a code belongs to a request
  void client.signIn({ code: "01234567" });
  void client.presentSecondFactor({ totp_code: "123456" });
  void client.presentSecondFactor({ recovery_code: "x" });
  void client.presentSecondFactor({ passkey: assertion });
  void client.reauthenticate({ passkey: assertion });
  void client.signInWithPasskey({ credential: assertion });
  void client.signUp({ email_address: "a@example.com", passkey: { credential: registration } });
  // @ts-expect-error: a passkey's reply is an object
  void client.presentSecondFactor({ passkey: "x" });
  // @ts-expect-error: one factor
  void client.presentSecondFactor({ totp_code: "123456", recovery_code: "x" });
  // @ts-expect-error: a factor is required
  void client.presentSecondFactor({});
  // @ts-expect-error: the client keeps the token itself
  void client.presentSecondFactor({ totp_code: "123456", pending_token: "crp_x" });
  // @ts-expect-error: only `current` can be excepted
  client.endSessions({ except: "others" });
  // @ts-expect-error: an event is not an input
  client.signOut(new Event("click"));
  // @ts-expect-error: `scopes` is required
  client.createApiKey({ name: "Backup" });
  // @ts-expect-error: no such operation
  client.listUsers();
  // @ts-expect-error: cookie mode takes no store
  createClient({ url: "x", credentials: "cookie", store: memoryStore() });
}

it("knows the codes and the inputs of each operation", () => {
  expectTypeOf<"invalid_credentials" | "email_unconfirmed" | "rate_limited">().toExtend<Code<"signIn">>();
  expectTypeOf<"invalid_grant">().toExtend<Code<"refreshTokens">>();
  expectTypeOf<"not_found">().not.toExtend<Code<"signIn">>();
  expectTypeOf<string>().not.toExtend<Code>();
  expectTypeOf<Input<"updateProject">>().toEqualTypeOf<{
    id: number;
    title?: string;
    description?: string | null;
  }>();
  expectTypeOf<Input<"signIn">>().not.toHaveProperty("transport");
});

it("tells a finished sign-in from a pending one by its status", () => {
  type Result = Awaited<ReturnType<Client["signIn"]>>;
  expectTypeOf<Extract<Result, { status: "signed-in" }>["user"]>().toEqualTypeOf<User>();
  expectTypeOf<Extract<Result, { status: "second-factor" }>>().toEqualTypeOf<SecondFactorRequired>();
  expectTypeOf<SecondFactorRequired>().toExtend<AuthState>();
  expectTypeOf<SecondFactorRequired>().not.toHaveProperty("pending_token");
});
