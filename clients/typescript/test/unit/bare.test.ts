import { expect, it, vi } from "vitest";
import { createClient } from "../../src/index.js";
import { fake, json, secret, shown, signedIn, url } from "./fake.js";

it.each(["session", "cookie", "tokens"] as const)("needs nothing but fetch: %s", async (credentials) => {
  for (const name of ["BroadcastChannel", "localStorage", "sessionStorage", "document", "navigator"]) {
    vi.stubGlobal(name, undefined);
  }
  const { fetch } = fake(({ method, path }) => {
    if (path.startsWith("/v1/tokens")) {
      return json({ access_token: "eyJa", refresh_token: "crr_a" });
    }
    return json(method === "GET" ? shown() : signedIn("crs_one"));
  });
  vi.stubGlobal("fetch", fetch);
  try {
    const client = createClient({ url, credentials, channel: "anything" });
    await client.restore();
    await client.signIn(secret);
    expect(client.state().status).toBe("signed-in");
    await client.signOut();
    expect(client.state().status).toBe("signed-out");
    client.close();
  } finally {
    vi.unstubAllGlobals();
  }
});
