// @vitest-environment node

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type FrontendServer, start } from "../serve.mjs";

const folder = mkdtempSync(join(tmpdir(), "front-"));
mkdirSync(join(folder, "assets"));
writeFileSync(join(folder, "index.html"), '<meta name="cloakroom-api" content=""><p>the page</p>');
writeFileSync(join(folder, "assets", "a.js"), "1".repeat(1_000));
let server: FrontendServer | undefined;
const frontend = async () => {
  server ??= await start({ folder, api: "http://localhost:4000" });
  return server;
};
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

/** The status for an unmodified path: `fetch` would normalise it. */
function statusOf(url: string, path: string): Promise<number | undefined> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    get({ port, path, host: "localhost" }, (reply) => {
      reply.resume();
      resolve(reply.statusCode);
    }).on("error", reject);
  });
}

test("serves the page with the API's URL for other paths", async () => {
  const { url } = await frontend();
  for (const path of ["/", "/account", "/passwords/a.b/edit", "/index.html"]) {
    const reply = await fetch(url + path);
    expect(reply.headers.get("Cache-Control")).toBe("no-store");
    expect(await reply.text()).toBe(
      '<meta name="cloakroom-api" content="http://localhost:4000"><p>the page</p>',
    );
  }
});

test("says whether codes by mail are offered", async () => {
  const page = '<meta name="cloakroom-api" content=""><meta name="cloakroom-mail-codes" content="">';
  const other = mkdtempSync(join(tmpdir(), "front-"));
  writeFileSync(join(other, "index.html"), page);
  for (const [mailCodes, content] of [
    [true, "on"],
    [false, ""],
  ] as const) {
    const { url, stop } = await start({ folder: other, mailCodes });
    expect(await (await fetch(url)).text()).toContain(`name="cloakroom-mail-codes" content="${content}"`);
    await stop();
  }
  rmSync(other, { recursive: true });
});

test("the policy allows the API only; no referrer is sent", async () => {
  const { url } = await frontend();
  const { headers } = await fetch(url);
  expect(headers.get("Content-Security-Policy")).toContain("connect-src http://localhost:4000;");
  expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'");
  expect(headers.get("Referrer-Policy")).toBe("no-referrer");
  expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
});

test("serves built files compressed and immutable", async () => {
  const { url } = await frontend();
  const reply = await fetch(`${url}/assets/a.js`);
  expect(reply.headers.get("Cache-Control")).toContain("immutable");
  expect(reply.headers.get("Content-Encoding")).toBe("gzip");
  expect(await reply.text()).toBe("1".repeat(1_000));
  expect((await fetch(`${url}/assets/b.js`)).status).toBe(404);
  expect(await statusOf(url, "/assets/../../package.json")).toBe(404);
  expect((await fetch(url, { method: "POST" })).status).toBe(405);
});

test("leads password managers to the page that changes a password", async () => {
  const { url } = await frontend();
  const reply = await fetch(`${url}/.well-known/change-password`, { redirect: "manual" });
  expect(reply.status).toBe(302);
  expect(reply.headers.get("Location")).toBe("/account");
  const missing = "resource-that-should-not-exist-whose-status-code-should-not-be-200";
  expect((await fetch(`${url}/.well-known/${missing}`)).status).toBe(404);
});

test("serves plain files to clients that do not accept gzip", async () => {
  const { url } = await frontend();
  const encodingFor = async (accepted: string) => {
    const reply = await fetch(`${url}/assets/a.js`, { headers: { "Accept-Encoding": accepted } });
    expect(await reply.text()).toBe("1".repeat(1_000));
    return reply.headers.get("Content-Encoding");
  };
  for (const accepted of ["gzip", "GZIP", "br, gzip;q=0.5", "*", "gzip ; q=0.001", "identity, gzip"]) {
    expect(await encodingFor(accepted), accepted).toBe("gzip");
  }
  for (const accepted of [
    "identity",
    "br",
    "gzip;q=0",
    "gzip; q=0.000, *",
    "*;q=0",
    "xgzip",
    "gzip-x",
    "identity, gzip;q=0.5",
    "gzip;q=x",
  ]) {
    expect(await encodingFor(accepted), accepted).toBeNull();
  }
});

test("the API's URL can be set later", async () => {
  const other = await start({ folder });
  other.setApi("http://localhost:5000");
  const reply = await fetch(other.url);
  expect(await reply.text()).toContain('content="http://localhost:5000"');
  await other.stop();
});
