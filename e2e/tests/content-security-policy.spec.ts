// Violations of the page's Content-Security-Policy. These pages are not monitored: they provoke console errors.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "@playwright/test";
import type { TestEnvironment } from "../support/environment.js";
import { field } from "../support/page.js";
import { expect, test } from "../support/test.js";

async function open(browser: Browser, env: TestEnvironment): Promise<{ page: Page; refusals: string[] }> {
  const page = await browser.newPage();
  const refusals: string[] = [];
  page.on("console", (message) => refusals.push(message.text()));
  await page.goto(`${env.frontend.url}/sign-in`);
  await expect(field(page, "Password")).toBeVisible();
  return { page, refusals };
}

test("scripts can call the API and no other origin", async ({ browser, env }) => {
  const { page, refusals } = await open(browser, env);
  const call = (url: string) =>
    page.evaluate(
      (url) =>
        fetch(url).then(
          ({ status }) => status,
          () => "refused",
        ),
      url,
    );
  expect(await call(`${env.server.url}/up`)).toBe(200);
  expect(await call("http://localhost:9/")).toBe("refused");
  expect(refusals.join()).toContain("Content Security Policy");
  await page.close();
});

test("injected scripts do not run", async ({ browser, env }) => {
  const { page, refusals } = await open(browser, env);
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'injected'";
    document.body.append(script);
    document.body.insertAdjacentHTML("beforeend", `<img src="x" onerror="document.title = 'injected'">`);
  });
  await page.waitForTimeout(200);
  expect(await page.title()).toBe("Sign in · Cloakroom");
  expect(refusals.join()).toContain("Content Security Policy");
  await page.close();
});

for (const policy of ["enforced", "removed"]) {
  test(`framing by another page with the policy ${policy}`, async ({ browser, env }) => {
    const page = await browser.newPage();
    const otherSite = createServer((_, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end(`<iframe src="${env.frontend.url}/sign-in"></iframe>`);
    });
    await new Promise<void>((resolve) => otherSite.listen(0, "127.0.0.1", resolve));
    // Control: without the policy the page loads in the frame.
    if (policy === "removed") {
      await page.route(`${env.frontend.url}/sign-in`, async (route) => {
        const { "content-security-policy": _, ...headers } = (await route.fetch()).headers();
        await route.fulfill({ response: await route.fetch(), headers });
      });
    }
    await page.goto(`http://localhost:${(otherSite.address() as AddressInfo).port}/`);
    const shown = policy === "enforced" ? "chrome-error://chromewebdata/" : `${env.frontend.url}/sign-in`;
    await expect.poll(() => page.frames()[1]?.url()).toBe(shown);
    const password = page.frameLocator("iframe").getByLabel("Password", { exact: true });
    await expect(password).toHaveCount(policy === "enforced" ? 0 : 1);
    await page.close();
    otherSite.closeAllConnections();
    otherSite.close();
  });
}
