// @vitest-environment node

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Served, start } from "../serve.mjs";

const folder = mkdtempSync(join(tmpdir(), "front-"));
mkdirSync(join(folder, "assets"));
writeFileSync(join(folder, "index.html"), '<meta name="cloakroom-api" content=""><p>the page</p>');
writeFileSync(join(folder, "assets", "a.js"), "1".repeat(1_000));
let served: Served | undefined;
const house = async () => {
  served ??= await start({ folder, api: "http://localhost:4000" });
  return served;
};
afterAll(async () => {
  await served?.stop();
  rmSync(folder, { recursive: true });
});

/** The path as it stands: `fetch` would tidy it. */
function ask(url: string, path: string): Promise<number | undefined> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    get({ port, path, host: "localhost" }, (reply) => {
      reply.resume();
      resolve(reply.statusCode);
    }).on("error", reject);
  });
}

test("every path but a file's is the page, told where the API is", async () => {
  const { url } = await house();
  for (const path of ["/", "/account", "/passwords/a.b/edit", "/index.html"]) {
    const reply = await fetch(url + path);
    expect(reply.headers.get("Cache-Control")).toBe("no-store");
    expect(await reply.text()).toBe(
      '<meta name="cloakroom-api" content="http://localhost:4000"><p>the page</p>',
    );
  }
});

test("the page may call the API and nobody else, and tells nobody where it is", async () => {
  const { url } = await house();
  const { headers } = await fetch(url);
  expect(headers.get("Content-Security-Policy")).toContain("connect-src http://localhost:4000;");
  expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'");
  expect(headers.get("Referrer-Policy")).toBe("no-referrer");
  expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
});

test("files go zipped, for good, and only those there are", async () => {
  const { url } = await house();
  const reply = await fetch(`${url}/assets/a.js`);
  expect(reply.headers.get("Cache-Control")).toContain("immutable");
  expect(reply.headers.get("Content-Encoding")).toBe("gzip");
  expect(await reply.text()).toBe("1".repeat(1_000));
  expect((await fetch(`${url}/assets/b.js`)).status).toBe(404);
  expect(await ask(url, "/assets/../../package.json")).toBe(404);
  expect((await fetch(url, { method: "POST" })).status).toBe(405);
});

test("the API may be named later", async () => {
  const other = await start({ folder });
  other.setApi("http://localhost:5000");
  const reply = await fetch(other.url);
  expect(await reply.text()).toContain('content="http://localhost:5000"');
  await other.stop();
});
