// Each problem that the monitor must detect.

import type { Page } from "@playwright/test";
import type { TestEnvironment } from "../support/environment.js";
import { heading } from "../support/page.js";
import { PageMonitor } from "../support/page-monitor.js";
import { expect, test } from "../support/test.js";

const KEY = "crk_4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3";

const PROBLEMS: [string, (page: Page, env: TestEnvironment) => unknown, RegExp][] = [
  ["an error on the console", (page) => page.evaluate("console.error('oh')"), /^error: oh/],
  ["a warning on the console", (page) => page.evaluate("console.warn('oh')"), /^warning: oh/],
  ["a token on the console", (page) => page.evaluate(`console.info('${KEY}')`), /^a token on the console/],
  [
    "an uncaught error",
    (page) => page.evaluate(() => setTimeout(() => Promise.reject(new Error("oh")))),
    /^uncaught: Error: oh/,
  ],
  [
    "a request to another origin",
    (page) => page.goto("http://localhost:9/").catch(() => {}),
    /^a request to http:/,
  ],
  ["a token in an address", (page) => page.goto(`/?key=${KEY}`), /^a token in http:/],
  [
    "a token in local storage",
    (page) => page.evaluate((key) => localStorage.setItem("token", key), KEY),
    /^local storage holds token/,
  ],
  [
    "a token in session storage",
    (page) => page.evaluate((key) => sessionStorage.setItem("token", key), KEY),
    /^readable by scripts: /,
  ],
  [
    "a cookie that scripts can read",
    (page) =>
      page.evaluate(() => {
        // biome-ignore lint/suspicious/noDocumentCookie: the problem under test
        document.cookie = "token=1";
      }),
    /^a cookie token, HttpOnly false/,
  ],
  [
    "the token of a link in another address",
    async (page) => {
      await page.goto("/unlocks#a-long-token");
      await expect(heading(page, "Open sign-in again")).toBeVisible();
      await page.goto("/?from=a-long-token");
    },
    /^the token of a link in http:/,
  ],
  [
    "the token of a link in a request to the API",
    async (page, env) => {
      await page.goto("/unlocks/a-long-token");
      await expect(heading(page, "Open sign-in again")).toBeVisible();
      const route = `${env.server.url}/v1/unlocks/a-long-token`;
      await page.evaluate((url) => fetch(url, { method: "PUT" }), route);
    },
    /^the token of a link in http:.*\/v1\/unlocks/,
  ],
];

for (const [problem, cause, pattern] of PROBLEMS) {
  test(`detects ${problem}`, async ({ browser, env }) => {
    const context = await browser.newContext();
    const monitor = new PageMonitor(env);
    monitor.add(context);
    const page = await context.newPage();
    await page.goto("/sign-in");
    await expect(heading(page, "Sign in")).toBeVisible();
    await cause(page, env);
    await page.waitForTimeout(100);
    expect(await monitor.problems()).toContainEqual(expect.stringMatching(pattern));
    await context.close();
  });
}

test("reports an expected message that did not appear", async ({ env }) => {
  const monitor = new PageMonitor(env);
  monitor.expectStatus(401);
  expect(await monitor.problems()).toEqual(["expected but missing: /status of 401 /"]);
});
