// What the page's headers forbid, tried. These browsers are not watched: they are made to complain.

import type { Browser, Page } from "@playwright/test";
import { field } from "../support/page.js";
import type { Stage } from "../support/stage.js";
import { expect, test } from "../support/test.js";

async function open(browser: Browser, stage: Stage): Promise<{ page: Page; refusals: string[] }> {
  const page = await browser.newPage();
  const refusals: string[] = [];
  page.on("console", (message) => refusals.push(message.text()));
  await page.goto(`${stage.front.url}/sign-in`);
  await expect(field(page, "Password")).toBeVisible();
  return { page, refusals };
}

test("a script in the page can call the API and nobody else", async ({ browser, stage }) => {
  const { page, refusals } = await open(browser, stage);
  const call = (url: string) =>
    page.evaluate(
      (url) =>
        fetch(url).then(
          ({ status }) => status,
          () => "refused",
        ),
      url,
    );
  expect(await call(`${stage.house.url}/up`)).toBe(200);
  expect(await call("http://localhost:9/")).toBe("refused");
  expect(refusals.join()).toContain("Content Security Policy");
  await page.close();
});

test("a script that somebody put into the page does not run", async ({ browser, stage }) => {
  const { page, refusals } = await open(browser, stage);
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'theirs'";
    document.body.append(script);
    document.body.insertAdjacentHTML("beforeend", `<img src="x" onerror="document.title = 'theirs'">`);
  });
  await page.waitForTimeout(200);
  expect(await page.title()).toBe("Sign in · Cloakroom");
  expect(refusals.join()).toContain("Content Security Policy");
  await page.close();
});

test("no other page can put ours into a frame", async ({ browser, stage }) => {
  const page = await browser.newPage();
  const refusals: string[] = [];
  page.on("console", (message) => refusals.push(message.text()));
  await page.route("http://elsewhere.test/", (route) =>
    route.fulfill({ contentType: "text/html", body: `<iframe src="${stage.front.url}/sign-in"></iframe>` }),
  );
  await page.goto("http://elsewhere.test/");
  await expect.poll(() => refusals.join()).toContain("frame-ancestors");
  await expect(page.frameLocator("iframe").getByLabel("Password")).toBeHidden();
  await page.close();
});
