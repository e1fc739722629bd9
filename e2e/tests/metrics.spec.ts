// How the built front end loads, measured in a fresh browser.

import type { CDPSession, Page } from "@playwright/test";
import { enter, heading } from "../support/page.js";
import { expect, test } from "../support/test.js";

const BYTES = 120_000;
const FIRST_CONTENT = 1_000;

interface Load {
  kind: string;
  url: string;
  bytes: number;
}

/** Records what is loaded from now on, with the bytes as they go over the wire. */
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

/** Shifts and paints are kept by the browser; they are asked for when the page has come to rest. */
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

/** Who is signed in, and what the page shows; a visitor costs nothing. */
const MOST_CALLS: Record<string, number> = { "/": 2, "/account": 3 };
const PAGES = [
  ["/sign-in", "Sign in"],
  ["/sign-up", "Sign up"],
  ["/passwords/new", "Forgot your password?"],
  ["/nowhere", "There is nothing here"],
  ["/", "Projects"],
  ["/account", "Your account"],
] as const;

for (const [path, title] of PAGES) {
  test(`${path} loads at once and stays where it is`, { tag: "@phone" }, async ({ page, stage, context }) => {
    if (path === "/" || path === "/account") {
      const person = await stage.person();
      for (const name of ["A cloak", "A hat"]) {
        await person.call("POST", "/v1/projects", { title: name });
      }
      await enter(page, person);
    }
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    const client = await context.newCDPSession(page);
    await client.send("Network.setCacheDisabled", { cacheDisabled: true });
    const loaded = await record(client);
    const paints: number[] = [];
    // What else this machine does makes a page later, never earlier, so the best of three tells how fast the page is.
    for (let round = 0; round < 3; round++) {
      loaded.clear();
      await page.goto("about:blank");
      await page.goto(path);
      await expect(heading(page, title)).toBeVisible();
      const { shift, firstContent } = await measure(page);
      expect(shift).toBeLessThan(0.01);
      paints.push(firstContent);
    }

    const front = [...loaded.values()].filter(({ url }) => url.startsWith(stage.front.url));
    const api = [...loaded.values()].filter(({ url }) => url.startsWith(stage.house.url));
    const files = front.filter(({ kind }) => kind !== "Document");
    const bytes = front.reduce((sum, each) => sum + each.bytes, 0);
    const description = `${bytes} bytes, first content after ${paints.map(Math.round).join(", ")} ms`;
    test.info().annotations.push({ type: "measured", description });
    expect(said).toEqual([]);
    expect(Math.min(...paints)).toBeLessThan(FIRST_CONTENT);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(BYTES);
    expect(front.length - files.length).toBe(1);
    expect(files.map(({ url }) => url).length, JSON.stringify(files)).toBeLessThanOrEqual(3);
    expect(api.filter(({ kind }) => kind !== "Preflight").length, JSON.stringify(api)).toBeLessThanOrEqual(
      MOST_CALLS[path] ?? 0,
    );
  });
}
