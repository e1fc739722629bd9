// What the page's headers forbid, tried. These browsers are not watched: they are made to complain.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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

for (const policy of ["as it is", "without it"]) {
  test(`another page that puts ours into a frame, with the policy ${policy}`, async ({ browser, stage }) => {
    const page = await browser.newPage();
    const theirs = createServer((_, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end(`<iframe src="${stage.front.url}/sign-in"></iframe>`);
    });
    await new Promise<void>((resolve) => theirs.listen(0, "127.0.0.1", resolve));
    // Without it the frame shows the page, so it is the policy that keeps it out.
    if (policy === "without it") {
      await page.route(`${stage.front.url}/sign-in`, async (route) => {
        const { "content-security-policy": _, ...headers } = (await route.fetch()).headers();
        await route.fulfill({ response: await route.fetch(), headers });
      });
    }
    await page.goto(`http://localhost:${(theirs.address() as AddressInfo).port}/`);
    const shown = policy === "as it is" ? "chrome-error://chromewebdata/" : `${stage.front.url}/sign-in`;
    await expect.poll(() => page.frames()[1]?.url()).toBe(shown);
    const password = page.frameLocator("iframe").getByLabel("Password", { exact: true });
    await expect(password).toHaveCount(policy === "as it is" ? 0 : 1);
    await page.close();
    theirs.closeAllConnections();
    theirs.close();
  });
}
