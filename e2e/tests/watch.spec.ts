// That the watch over all other tests sees what it is there for.

import type { Page } from "@playwright/test";
import { heading } from "../support/page.js";
import { expect, test } from "../support/test.js";
import { Watch } from "../support/watch.js";

const KEY = "crk_4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3";

const FAULTS: [string, (page: Page) => unknown, RegExp][] = [
  ["an error on the console", (page) => page.evaluate("console.error('oh')"), /^error: oh/],
  ["a warning on the console", (page) => page.evaluate("console.warn('oh')"), /^warning: oh/],
  ["a token on the console", (page) => page.evaluate(`console.info('${KEY}')`), /^a token on the console/],
  [
    "an error that nobody catches",
    (page) => page.evaluate(() => setTimeout(() => Promise.reject(new Error("oh")))),
    /^uncaught: Error: oh/,
  ],
  [
    "a request to elsewhere",
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
    /^within a script's reach: /,
  ],
  [
    "a cookie that scripts can read",
    (page) =>
      page.evaluate(() => {
        // biome-ignore lint/suspicious/noDocumentCookie: to see it seen
        document.cookie = "token=1";
      }),
    /^a cookie token, HttpOnly false/,
  ],
  [
    "the token of a link in another address",
    async (page) => {
      await page.goto("/unlocks/a-long-token");
      await expect(heading(page, "Open sign-in again")).toBeVisible();
      await page.goto("/?from=a-long-token");
    },
    /^the token of a link in http:/,
  ],
];

for (const [what, commit, pattern] of FAULTS) {
  test(`${what} is seen`, async ({ browser, stage }) => {
    const context = await browser.newContext();
    const watch = new Watch(stage);
    watch.add(context);
    const page = await context.newPage();
    await page.goto("/sign-in");
    await expect(heading(page, "Sign in")).toBeVisible();
    await commit(page);
    await page.waitForTimeout(100);
    expect(await watch.verdict()).toContainEqual(expect.stringMatching(pattern));
    await context.close();
  });
}

test("what was expected and did not come is told", async ({ stage }) => {
  const watch = new Watch(stage);
  watch.expects(401);
  expect(await watch.verdict()).toEqual(["expected, and never heard: /status of 401 /"]);
});
