// Load performance of the built front end, with an empty cache.

import type { CDPSession, Page } from "@playwright/test";
import { heading, signInAs } from "../support/page.js";
import { expect, test } from "../support/test.js";

const MAX_BYTES = 120_000;
const FIRST_CONTENT_MS = 1_000;

interface Load {
  kind: string;
  url: string;
  bytes: number;
}

/** Records all loads from now on with their bytes on the wire. */
async function record(client: CDPSession): Promise<Map<string, Load>> {
  const all = new Map<string, Load>();
  await client.send("Network.enable");
  client.on("Network.responseReceived", ({ requestId, type, response }) => {
    all.set(requestId, { kind: type ?? "", url: response.url, bytes: 0 });
  });
  client.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const load = all.get(requestId);
    if (load) {
      load.bytes = encodedDataLength;
    }
  });
  return all;
}

/** Reads layout shifts and paints from the browser when the network is idle. */
async function measure(page: Page): Promise<{ shift: number; firstContent: number }> {
  await page.waitForLoadState("networkidle");
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        let shift = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) {
            shift += (entry as unknown as { value: number }).value;
          }
        }).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => {
          const firstContent = performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
          resolve({ shift, firstContent: firstContent ?? Number.POSITIVE_INFINITY });
        }, 300);
      }),
  );
}

/** API requests at most: the session and the content. While signed out providers, and options for suggested passkeys. */
const MAX_API_CALLS: Record<string, number> = { "/sign-in": 2, "/sign-up": 1, "/": 2, "/account": 7 };
const PAGES = [
  ["/sign-in", "Sign in"],
  ["/sign-up", "Sign up"],
  ["/passwords/new", "Forgot your password?"],
  ["/nowhere", "Page not found"],
  ["/", "Projects"],
  ["/account", "Your account"],
] as const;

for (const [path, title] of PAGES) {
  test(`${path} loads fast without layout shifts`, { tag: "@phone" }, async ({ page, env, context }) => {
    if (path === "/" || path === "/account") {
      const user = await env.createUser();
      for (const name of ["A cloak", "A hat"]) {
        await user.call("POST", "/v1/projects", { title: name });
      }
      await signInAs(page, user);
    }
    const messages: string[] = [];
    page.on("console", (message) => messages.push(message.text()));
    const client = await context.newCDPSession(page);
    await client.send("Network.setCacheDisabled", { cacheDisabled: true });
    const loaded = await record(client);
    const paints: number[] = [];
    // Other load on the machine only delays a page, so the best of three rounds counts.
    for (let round = 0; round < 3; round++) {
      loaded.clear();
      await page.goto("about:blank");
      await page.goto(path);
      await expect(heading(page, title)).toBeVisible();
      const { shift, firstContent } = await measure(page);
      expect(shift).toBeLessThan(0.01);
      paints.push(firstContent);
    }

    const front = [...loaded.values()].filter(({ url }) => url.startsWith(env.frontend.url));
    const api = [...loaded.values()].filter(({ url }) => url.startsWith(env.server.url));
    const files = front.filter(({ kind }) => kind !== "Document");
    const bytes = front.reduce((sum, each) => sum + each.bytes, 0);
    const description = `${bytes} bytes, first content after ${paints.map(Math.round).join(", ")} ms`;
    test.info().annotations.push({ type: "measured", description });
    expect(messages).toEqual([]);
    expect(Math.min(...paints)).toBeLessThan(FIRST_CONTENT_MS);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(MAX_BYTES);
    expect(front.length - files.length).toBe(1);
    expect(files.map(({ url }) => url).length, JSON.stringify(files)).toBeLessThanOrEqual(3);
    expect(api.filter(({ kind }) => kind !== "Preflight").length, JSON.stringify(api)).toBeLessThanOrEqual(
      MAX_API_CALLS[path] ?? 0,
    );
  });
}
