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
async function loads(client: CDPSession): Promise<Map<string, Load>> {
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
    const loaded = await loads(client);
    await client.send("Network.setCacheDisabled", { cacheDisabled: true });
    await page.goto(path);
    await expect(heading(page, title)).toBeVisible();
    const { shift, firstContent } = await measure(page);

    const front = [...loaded.values()].filter(({ url }) => url.startsWith(stage.front.url));
    const api = [...loaded.values()].filter(({ url }) => url.startsWith(stage.house.url));
    const bytes = front.reduce((sum, each) => sum + each.bytes, 0);
    test.info().annotations.push({
      type: "measured",
      description: `${bytes} bytes, first content after ${Math.round(firstContent)} ms, shift ${shift}`,
    });
    expect(said).toEqual([]);
    expect(shift).toBeLessThan(0.01);
    expect(firstContent).toBeLessThan(FIRST_CONTENT);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(BYTES);
    expect(front.filter(({ kind }) => kind === "Document")).toHaveLength(1);
    expect(front.filter(({ kind }) => kind !== "Document").length).toBeLessThanOrEqual(3);
    expect(api.filter(({ kind }) => kind !== "Preflight").length).toBeLessThanOrEqual(2);
  });
}
