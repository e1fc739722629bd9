// The client's other ways to prove who it is, in a page of another origin than the server's: tokens that are renewed.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import type { Client } from "../../clients/typescript/dist/index.js";
import { PASSWORD, type Person } from "../support/stage.js";
import { expect, test } from "../support/test.js";

const built = fileURLToPath(new URL("../../clients/typescript/dist", import.meta.url));

/** Puts a signed-in client into the page, as `client`. */
async function signIn(page: Page, api: string, { address }: Person) {
  // The page's own origin serves the package, as the content security policy wants it.
  await page.route("**/package/*", async (route) => {
    const name = new URL(route.request().url()).pathname.slice("/package".length);
    await route.fulfill({ contentType: "text/javascript", body: await readFile(built + name) });
  });
  await page.goto("/sign-in");
  await page.evaluate(
    async ([url, email_address, password]) => {
      const { createClient } = await import(new URL("/package/index.js", location.href).href);
      // A channel of its own: the page has a client, too, and its user is another.
      const client: Client = createClient({ url, credentials: "tokens", channel: false });
      Object.assign(window, { client });
      await client.signIn({ email_address, password });
    },
    [api, address, PASSWORD] as const,
  );
}

test("many requests with a token that is no longer good renew it once, and all succeed", async ({
  page,
  stage,
  watch,
}) => {
  watch.expects(401);
  const person = await stage.person();
  await person.call("POST", "/v1/projects", { title: "A cloak" });
  await signIn(page, stage.house.url, person);
  const renewals: string[] = [];
  page.on(
    "request",
    (request) => request.url().endsWith("/v1/tokens/refresh") && renewals.push(request.method()),
  );

  // A token that the server refuses is renewed as one that expired; a minute need not pass here.
  let spoiled = 10;
  await page.route(`${stage.house.url}/v1/projects`, async (route) => {
    const headers = await route.request().allHeaders();
    if (spoiled-- > 0) {
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
  expect(renewals).toEqual(["POST"]);
});

test("signing out ends the tokens", async ({ page, stage }) => {
  const person = await stage.person();
  await signIn(page, stage.house.url, person);
  const token = await page.evaluate(() => (window as unknown as { client: Client }).client.token());
  const use = () =>
    fetch(`${stage.house.url}/v1/projects`, { headers: { Authorization: `Bearer ${token}` } }).then(
      ({ status }) => status,
    );
  expect(await use()).toBe(200);
  const status = await page.evaluate(async () => {
    const { client } = window as unknown as { client: Client };
    await client.signOut();
    return client.state().status;
  });
  expect(status).toBe("signed-out");
  expect(await use()).toBe(401);
});
