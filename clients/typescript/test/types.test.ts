// What the compiler refuses. `npm run types` is what checks it; nothing here is called.

import { expectTypeOf, it } from "vitest";
import {
  type ApiKey,
  type Client,
  type Code,
  createClient,
  type Input,
  memoryStore,
  type Project,
  type User,
} from "../src/index.js";

// biome-ignore lint/correctness/noUnusedVariables: for the compiler
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
  // @ts-expect-error: a title is needed
  client.createProject();
  // @ts-expect-error: which one?
  client.showProject({});
  // @ts-expect-error: an id is a number
  client.showProject({ id: "1" });
  // @ts-expect-error: there is no password
  client.signIn({ email_address: "a@example.com" });
  // @ts-expect-error: the client's own option says it
  client.signIn({ email_address: "a@example.com", password: "x", transport: "cookie" });
  // @ts-expect-error: nothing else can be kept
  client.endSessions({ except: "others" });
  // @ts-expect-error: an event is no input
  client.signOut(new Event("click"));
  // @ts-expect-error: good for what?
  client.createApiKey({ name: "Backup" });
  // @ts-expect-error: no such operation
  client.listUsers();
  // @ts-expect-error: cookies are not stored by scripts
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
