import { describe, expect, it } from "vitest";
import { CloakroomError, createClient } from "../../src/index.js";
import { type Answer, failure, fake, gate, json, offline, type Seen, secret, signedIn, url } from "./fake.js";

const message = () => json({ message: "Done" });

function clientOf(answer: (seen: Seen) => Answer, credentials: "session" | "cookie" = "session") {
  const server = fake((seen) =>
    seen.path === "/v1/session" && seen.method === "POST" ? json(signedIn("crs_one")) : answer(seen),
  );
  return { ...server, client: createClient({ url, fetch: server.fetch, credentials }) };
}

const failed = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => expect.fail("it did not fail"),
    (reason: unknown) => reason,
  );
  expect(CloakroomError.is(error)).toBe(true);
  return error as CloakroomError;
};

describe("what goes out", () => {
  it("carries the token in a header, and no cookie", async () => {
    const { client, seen } = clientOf(() => json({ projects: [], next_cursor: null }));
    await client.signIn(secret);
    await client.listProjects();
    expect(seen[0]?.headers).toEqual({ accept: "application/json", "content-type": "application/json" });
    expect(seen[0]?.body).toEqual(secret);
    expect(seen[1]?.headers).toEqual({ accept: "application/json", authorization: "Bearer crs_one" });
    expect(seen[1]?.init).toMatchObject({
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
    expect(seen[1]?.init).not.toHaveProperty("body");
  });

  it("asks for a cookie in cookie mode, and carries it instead of a token", async () => {
    const { client, seen } = clientOf(() => json({ projects: [], next_cursor: null }), "cookie");
    await client.signIn(secret);
    await client.listProjects();
    expect(seen[0]?.body).toEqual({ ...secret, transport: "cookie" });
    expect(seen[1]?.headers).toEqual({ accept: "application/json" });
    expect(seen[1]?.init.credentials).toBe("include");
  });

  it("deals the input out to path, query and body", async () => {
    const { client, seen } = clientOf(() => json({ project: {} }));
    await client.updateProject({ id: 4, title: "Coats", description: null });
    await client.listProjects({ limit: 2, cursor: "a&b=c" });
    await client.endSessions({ except: "current" });
    await client.showPasswordReset({ token: "a/b?c#d" });
    expect(seen.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["PATCH", "/v1/projects/4", { title: "Coats", description: null }],
      ["GET", "/v1/projects?limit=2&cursor=a%26b%3Dc", undefined],
      ["DELETE", "/v1/sessions?except=current", undefined],
      ["GET", "/v1/passwords/a%2Fb%3Fc%23d", undefined],
    ]);
  });

  it("gives no credential to what is public", async () => {
    const { client, seen } = clientOf(message);
    await client.signIn(secret);
    await client.requestPasswordReset({ email_address: "a@example.com" });
    await client.confirmAddress({ token: "link" });
    expect(seen.filter(({ headers }) => headers.authorization && true)).toHaveLength(1);
    expect(seen.at(-1)?.path).toBe("/v1/session");
  });

  it("leaves what is undefined out, and slashes at the end of the address", async () => {
    const { fetch, seen } = fake(() => json({ projects: [], next_cursor: null }));
    const client = createClient({ url: "http://localhost:3000/auth/", fetch });
    await client.listProjects({ limit: 3, cursor: undefined as unknown as string });
    expect(seen[0]?.url).toBe("http://localhost:3000/auth/v1/projects?limit=3");
  });
});

describe("requests of one's own", () => {
  it("go with the same credential", async () => {
    const { client, seen } = clientOf(() => json([1, 2]));
    await client.signIn(secret);
    const rows = await client.request<number[]>("POST", "/orders", { query: { page: 2 }, body: { a: 1 } });
    expect(rows).toEqual([1, 2]);
    expect(seen[1]).toMatchObject({ path: "/orders?page=2", body: { a: 1 } });
    expect(seen[1]?.headers.authorization).toBe("Bearer crs_one");
  });

  it.each(["https://localhost:3000/x", "http://evil.example/x", "@evil.example/", ".evil.example/"])(
    "never go to another origin: %s",
    async (path) => {
      const { client, seen } = clientOf(() => json({}));
      await client.signIn(secret);
      await expect(client.request("GET", path)).rejects.toThrow(TypeError);
      expect(seen).toHaveLength(1);
    },
  );
});

describe("failures", () => {
  it("have a code, a sentence and the fields", async () => {
    const { client } = clientOf(() =>
      failure(422, "validation_failed", {
        errors: ["Title can't be blank"],
        fields: { title: ["can't be blank"] },
      }),
    );
    expect(await failed(client.createProject({ title: "" }))).toMatchObject({
      name: "CloakroomError",
      message: "It is validation_failed",
      status: 422,
      code: "validation_failed",
      errors: ["Title can't be blank"],
      fields: { title: ["can't be blank"] },
      requestId: "r-1",
      retryAfter: undefined,
    });
  });

  it("say when to try again", async () => {
    const { client } = clientOf(() => failure(429, "rate_limited", {}, { "Retry-After": "17" }));
    expect(await failed(client.requestPasswordReset(secret))).toMatchObject({
      code: "rate_limited",
      retryAfter: 17,
    });
  });

  it("have empty lists where nothing is said of fields", async () => {
    const { client } = clientOf(() => failure(404, "not_found"));
    expect(await failed(client.showProject({ id: 1 }))).toMatchObject({ errors: [], fields: {} });
  });

  it("are network_error where there is no reply, or half of one", async () => {
    const broken = new Response(
      new ReadableStream({ start: (controller) => controller.error(new TypeError("terminated")) }),
    );
    for (const answer of [offline, () => broken]) {
      const { client } = clientOf(answer);
      expect(await failed(client.up())).toMatchObject({ status: 0, code: "network_error" });
    }
  });

  it.each([
    [502, "<h1>Bad Gateway</h1>"],
    [200, "<!doctype html><p>Sign in to the hotel's network"],
    [500, '"oops"'],
    [403, '{"error": {"message": "no"}}'],
    [500, ""],
  ])("are unexpected_reply where it is not the server's own: %i %s", async (status, body) => {
    const { client } = clientOf(() => new Response(body, { status }));
    expect(await failed(client.up())).toMatchObject({ status, code: "unexpected_reply" });
  });

  it("hold nothing of what was sent", async () => {
    for (const answer of [offline, () => failure(401, "link_invalid", { errors: ["It is dead"] })]) {
      const { client } = clientOf(answer);
      const error = await failed(client.resetPassword({ token: "the-link", password: "the-password" }));
      const all = JSON.stringify([error, error.message, error.stack, String(error.cause)]);
      expect(all).not.toMatch(/the-link|the-password/);
    }
  });

  it("are known across copies of the package", () => {
    const other = Object.assign(new Error("x"), { name: "CloakroomError", code: "not_found" });
    expect(CloakroomError.is(other)).toBe(true);
    expect(CloakroomError.is(new Error("x"))).toBe(false);
    expect(CloakroomError.is({ name: "CloakroomError", code: "x" })).toBe(false);
  });
});

describe("an abort", () => {
  it("before or while it runs rejects with the signal's own reason", async () => {
    const never = gate<Response>();
    const { client } = clientOf(() => never.promise);
    const reason = new Error("gone");
    await expect(client.up({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

    const controller = new AbortController();
    const call = client.up({}, { signal: controller.signal });
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  it("signs nobody out", async () => {
    const never = gate<Response>();
    const { client } = clientOf(() => never.promise);
    await client.signIn(secret);
    const controller = new AbortController();
    const call = client.signOut({}, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toThrow("aborted");
    expect(client.state().status).toBe("signed-in");
  });
});

it("resolves to nothing where the reply is empty", async () => {
  const { client } = clientOf(() => new Response(null, { status: 204 }));
  expect(await client.deleteProject({ id: 1 })).toBeUndefined();
});
