import { describe, expect, it } from "vitest";
import { CloakroomError, createClient } from "../../src/index.js";
import {
  type Answer,
  deferred,
  failure,
  fakeServer,
  json,
  offline,
  type SeenRequest,
  signedIn,
  signInInput,
  url,
} from "./fake-server.js";

const message = () => json({ message: "Done" });

function clientOf(answer: (seen: SeenRequest) => Answer, credentials: "session" | "cookie" = "session") {
  const server = fakeServer((seen) =>
    seen.path === "/v1/session" && seen.method === "POST" ? json(signedIn("crs_one")) : answer(seen),
  );
  return { ...server, client: createClient({ url, fetch: server.fetch, credentials }) };
}

const failureOf = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => expect.fail("resolved"),
    (reason: unknown) => reason,
  );
  expect(CloakroomError.is(error)).toBe(true);
  return error as CloakroomError;
};

describe("a request", () => {
  it("carries the token in a header and no cookie", async () => {
    const { client, seen } = clientOf(() => json({ projects: [], next_cursor: null }));
    await client.signIn(signInInput);
    await client.listProjects();
    expect(seen[0]?.headers).toEqual({ accept: "application/json", "content-type": "application/json" });
    expect(seen[0]?.body).toEqual(signInInput);
    expect(seen[1]?.headers).toEqual({ accept: "application/json", authorization: "Bearer crs_one" });
    expect(seen[1]?.init).toMatchObject({
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
    expect(seen[1]?.init).not.toHaveProperty("body");
  });

  it("carries the cookie instead of a token in cookie mode", async () => {
    const { client, seen } = clientOf(() => json({ projects: [], next_cursor: null }), "cookie");
    await client.signIn(signInInput);
    await client.listProjects();
    expect(seen[0]?.body).toEqual({ ...signInInput, transport: "cookie" });
    expect(seen[1]?.headers).toEqual({ accept: "application/json" });
    expect(seen[1]?.init.credentials).toBe("include");
  });

  it("distributes the input over path, query and body", async () => {
    const { client, seen } = clientOf(() => json({ project: {} }));
    await client.updateProject({ id: 4, title: "Coats", description: null });
    await client.listProjects({ limit: 2, cursor: "a&b=c" });
    await client.endSessions({ except: "current" });
    await client.checkPasswordReset({ token: "a/b?c#d" });
    await client.showProject({ id: "a/b?c#d" as unknown as number });
    expect(seen.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["PATCH", "/v1/projects/4", { title: "Coats", description: null }],
      ["GET", "/v1/projects?limit=2&cursor=a%26b%3Dc", undefined],
      ["DELETE", "/v1/sessions?except=current", undefined],
      ["POST", "/v1/passwords/check", { token: "a/b?c#d" }],
      ["GET", "/v1/projects/a%2Fb%3Fc%23d", undefined],
    ]);
  });

  it("sends no credential to public operations", async () => {
    const { client, seen } = clientOf(message);
    await client.signIn(signInInput);
    await client.requestPasswordReset({ email_address: "a@example.com" });
    await client.confirmAddress({ token: "link" });
    expect(seen.filter(({ headers }) => headers.authorization && true)).toHaveLength(1);
    expect(seen.at(-1)?.path).toBe("/v1/session");
  });

  it("omits undefined values and trailing slashes", async () => {
    const { fetch, seen } = fakeServer(() => json({ projects: [], next_cursor: null }));
    const client = createClient({ url: "http://localhost:3000/auth/", fetch });
    await client.listProjects({ limit: 3, cursor: undefined as unknown as string });
    expect(seen[0]?.url).toBe("http://localhost:3000/auth/v1/projects?limit=3");
  });
});

describe("custom requests", () => {
  it("carry the credential", async () => {
    const { client, seen } = clientOf(() => json([1, 2]));
    await client.signIn(signInInput);
    const rows = await client.request<number[]>("POST", "/orders", { query: { page: 2 }, body: { a: 1 } });
    expect(rows).toEqual([1, 2]);
    expect(seen[1]).toMatchObject({ path: "/orders?page=2", body: { a: 1 } });
    expect(seen[1]?.headers.authorization).toBe("Bearer crs_one");
  });

  it.each(["https://localhost:3000/x", "http://evil.example/x", "@evil.example/", ".evil.example/"])(
    "are never sent to another origin: %s",
    async (path) => {
      const { client, seen } = clientOf(() => json({}));
      await client.signIn(signInInput);
      await expect(client.request("GET", path)).rejects.toThrow(TypeError);
      expect(seen).toHaveLength(1);
    },
  );
});

describe("failures", () => {
  it("have a code, a message and fields", async () => {
    const { client } = clientOf(() =>
      failure(422, "validation_failed", {
        errors: ["Title can't be blank"],
        fields: { title: ["can't be blank"] },
      }),
    );
    expect(await failureOf(client.createProject({ title: "" }))).toMatchObject({
      name: "CloakroomError",
      message: "Error validation_failed",
      status: 422,
      code: "validation_failed",
      errors: ["Title can't be blank"],
      fields: { title: ["can't be blank"] },
      requestId: "r-1",
      retryAfter: undefined,
    });
  });

  it("carry Retry-After", async () => {
    const { client } = clientOf(() => failure(429, "rate_limited", {}, { "Retry-After": "17" }));
    expect(await failureOf(client.requestPasswordReset(signInInput))).toMatchObject({
      code: "rate_limited",
      retryAfter: 17,
    });
  });

  it("have empty lists without field errors", async () => {
    const { client } = clientOf(() => failure(404, "not_found"));
    expect(await failureOf(client.showProject({ id: 1 }))).toMatchObject({ errors: [], fields: {} });
  });

  it("are network_error without a complete response", async () => {
    const broken = new Response(
      new ReadableStream({ start: (controller) => controller.error(new TypeError("terminated")) }),
    );
    for (const answer of [offline, () => broken]) {
      const { client } = clientOf(answer);
      expect(await failureOf(client.up())).toMatchObject({ status: 0, code: "network_error" });
    }
  });

  it.each([
    [502, "<h1>Bad Gateway</h1>"],
    [200, "<!doctype html><p>Sign in to the hotel's network"],
    [500, '"oops"'],
    [403, '{"error": {"message": "no"}}'],
    [500, ""],
  ])("are unexpected_reply for foreign responses: %i %s", async (status, body) => {
    const { client } = clientOf(() => new Response(body, { status }));
    expect(await failureOf(client.up())).toMatchObject({ status, code: "unexpected_reply" });
  });

  it("do not contain what was sent", async () => {
    for (const answer of [offline, () => failure(401, "link_invalid", { errors: ["Link is invalid"] })]) {
      const { client } = clientOf(answer);
      const error = await failureOf(client.resetPassword({ token: "the-link", password: "the-password" }));
      const all = JSON.stringify([error, error.message, error.stack, String(error.cause)]);
      expect(all).not.toMatch(/the-link|the-password/);
    }
  });

  it("are recognised across copies of the package", () => {
    const other = Object.assign(new Error("x"), { name: "CloakroomError", code: "not_found" });
    expect(CloakroomError.is(other)).toBe(true);
    expect(CloakroomError.is(new Error("x"))).toBe(false);
    expect(CloakroomError.is({ name: "CloakroomError", code: "x" })).toBe(false);
  });
});

describe("an abort", () => {
  it("rejects with the reason of the signal", async () => {
    const never = deferred<Response>();
    const { client } = clientOf(() => never.promise);
    const reason = new Error("cancelled");
    await expect(client.up({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

    const controller = new AbortController();
    const call = client.up({}, { signal: controller.signal });
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  it("does not sign out", async () => {
    const never = deferred<Response>();
    const { client } = clientOf(() => never.promise);
    await client.signIn(signInInput);
    const controller = new AbortController();
    const call = client.signOut({}, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toThrow("aborted");
    expect(client.state().status).toBe("signed-in");
  });
});

it("an empty response resolves to undefined", async () => {
  const { client } = clientOf(() => new Response(null, { status: 204 }));
  expect(await client.deleteProject({ id: 1 })).toBeUndefined();
});
