import { expect, it, vi } from "vitest";
import { createClient } from "../../src/index.js";
import { currentSession, fakeServer, json, signedIn, signInInput, url } from "./fake-server.js";

it.each(["session", "cookie", "tokens"] as const)("%s mode works with fetch alone", async (credentials) => {
  for (const name of ["BroadcastChannel", "localStorage", "sessionStorage", "document", "navigator"]) {
    vi.stubGlobal(name, undefined);
  }
  const { fetch } = fakeServer(({ method, path }) => {
    if (path.startsWith("/v1/tokens")) {
      return json({ access_token: "eyJa", refresh_token: "crr_a" });
    }
    return json(method === "GET" ? currentSession() : signedIn("crs_one"));
  });
  vi.stubGlobal("fetch", fetch);
  try {
    const client = createClient({ url, credentials, channel: "anything" });
    await client.restore();
    await client.signIn(signInInput);
    expect(client.state().status).toBe("signed-in");
    await client.signOut();
    expect(client.state().status).toBe("signed-out");
    client.close();
  } finally {
    vi.unstubAllGlobals();
  }
});
