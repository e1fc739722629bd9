// The client's tokens mode in a page of another origin than the server's.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import type { Client } from "../../clients/typescript/dist/index.js";
import { PASSWORD, type TestUser } from "../support/environment.js";
import { expect, test } from "../support/test.js";

const built = fileURLToPath(new URL("../../clients/typescript/dist", import.meta.url));

/** Puts a signed-in client into the page, as `client`. */
async function signIn(page: Page, api: string, { address }: TestUser) {
  // The Content-Security-Policy allows scripts of the page's own origin only.
  await page.route("**/package/*", async (route) => {
    const name = new URL(route.request().url()).pathname.slice("/package".length);
    await route.fulfill({ contentType: "text/javascript", body: await readFile(built + name) });
  });
  await page.goto("/sign-in");
  await page.evaluate(
    async ([url, email_address, password]) => {
      const { createClient } = await import(new URL("/package/index.js", location.href).href);
      // No channel: the page has its own client with another user.
      const client: Client = createClient({ url, credentials: "tokens", channel: false });
      Object.assign(window, { client });
      await client.signIn({ email_address, password });
    },
    [api, address, PASSWORD] as const,
  );
}

test("concurrent requests refresh an invalid token once", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  await user.call("POST", "/v1/projects", { title: "A cloak" });
  await signIn(page, env.server.url, user);
  const refreshes: string[] = [];
  page.on(
    "request",
    (request) => request.url().endsWith("/v1/tokens/refresh") && refreshes.push(request.method()),
  );

  // Corrupts the signature: a refused token is refreshed like an expired one.
  let corrupted = 10;
  await page.route(`${env.server.url}/v1/projects`, async (route) => {
    const headers = await route.request().allHeaders();
    if (corrupted-- > 0) {
      headers.authorization = `${headers.authorization?.slice(0, -4)}AAAA`;
    }
    await route.continue({ headers });
  });
  const titles = await page.evaluate(async () => {
    const { client } = window as unknown as { client: Client };
    const all = await Promise.all(Array.from({ length: 10 }, () => client.listProjects()));
    return all.map(({ projects }) => projects.map(({ title }) => title).join());
  });
  expect(titles).toEqual(Array(10).fill("A cloak"));
  expect(refreshes).toEqual(["POST"]);
});

test("sign-out ends the tokens", async ({ page, env }) => {
  const user = await env.createUser();
  await signIn(page, env.server.url, user);
  const token = await page.evaluate(() => (window as unknown as { client: Client }).client.token());
  const statusWithToken = () =>
    fetch(`${env.server.url}/v1/projects`, { headers: { Authorization: `Bearer ${token}` } }).then(
      ({ status }) => status,
    );
  expect(await statusWithToken()).toBe(200);
  const status = await page.evaluate(async () => {
    const { client } = window as unknown as { client: Client };
    await client.signOut();
    return client.state().status;
  });
  expect(status).toBe("signed-out");
  expect(await statusWithToken()).toBe(401);
});
