// Runs docs/getting-started/react.md unchanged in a copy of the parts of the repository that it needs.

import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";
import { TestServer } from "../../clients/typescript/test/test-server.js";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const PARTS = [
  "package.json",
  "package-lock.json",
  ".npmrc",
  "openapi.json",
  "clients",
  "frontend/package.json",
  "e2e/package.json",
];
/** Milliseconds; the section installs packages. */
const TIMEOUT = 240_000;

interface Block {
  /** `sh` for commands, else a file name. */
  name: string;
  text: string;
}

/** The code blocks marked `react`, in order. */
function blocks(): Block[] {
  const page = readFileSync(join(repository, "docs/getting-started/react.md"), "utf8");
  return [...page.matchAll(/^```(\w+) react ?(\S*)\n(.*?)^```$/gms)].map(([, kind, file, text]) => ({
    name: file || (kind ?? ""),
    text: text ?? "",
  }));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Runs the commands in their own process group and records their output. */
function run(script: string, cwd: string): { child: ChildProcess; output: () => string } {
  // npm passes its working directory to child processes; the npm commands of the script must not inherit it.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_(lifecycle|package|config_workspace|config_local)|INIT_CWD)/.test(name),
    ),
  );
  let output = "";
  const child = spawn("sh", ["-euc", script], {
    cwd,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output };
}

test("the React page works as written", async ({ page }) => {
  test.setTimeout(TIMEOUT + 30_000);
  const port = await freePort();
  const frontendUrl = `http://localhost:${port}`;
  const server = await TestServer.start({
    CLOAKROOM__CORS__ORIGINS: frontendUrl,
    CLOAKROOM__CORS__CREDENTIALS: "true",
  });
  const folder = mkdtempSync(join(tmpdir(), "cloakroom-docs-"));
  const copy = join(folder, "cloakroom");
  for (const part of PARTS) {
    cpSync(join(repository, part), join(copy, part), {
      recursive: true,
      filter: (source) => !["node_modules", "dist"].includes(basename(source)),
    });
  }

  // Free ports instead of the documented ones; nothing else is changed.
  const adapted = (text: string) =>
    text.replaceAll("http://localhost:3000", server.url).replaceAll("--port 3001", `--port ${port}`);
  const [install = "", serve = "", ...more] = blocks()
    .filter(({ name }) => name === "sh")
    .map(({ text }) => text);
  const files = blocks().filter(({ name }) => name !== "sh");
  expect(more).toEqual([]);
  expect(files.map(({ name }) => name)).toEqual(["index.html", "main.jsx"]);
  expect(files[1]?.text.trimEnd().split("\n").length).toBeLessThanOrEqual(30);
  const fileFolder = join(folder, "files");
  mkdirSync(fileFolder);
  for (const { name, text } of files) {
    writeFileSync(join(fileFolder, name), adapted(text));
  }

  const { child, output } = run(`${adapted(install)}cp "${fileFolder}"/* .\n${adapted(serve)}`, copy);
  try {
    for (const end = Date.now() + TIMEOUT; !(await answers(frontendUrl)); await sleep(200)) {
      if (child.exitCode !== null || Date.now() > end) {
        throw new Error(output());
      }
    }

    const address = "one@example.com";
    const reply = await fetch(`${server.url}/v1/registrations`, {
      method: "POST",
      body: new URLSearchParams({ email_address: address, password: "correct-horse-battery" }),
    });
    expect(reply.status).toBe(201);

    await page.goto(frontendUrl);
    await page.getByLabel("Email address").fill(address);
    await page.getByLabel("Password").fill("wrong-horse-battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toHaveText("Invalid email address or password");
    await page.getByLabel("Password").fill("correct-horse-battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByText(`Hello, ${address}`)).toBeVisible();
    await page.reload();
    await expect(page.getByText(`Hello, ${address}`)).toBeVisible();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByLabel("Password")).toBeVisible();
  } finally {
    if (child.pid && child.exitCode === null) {
      process.kill(-child.pid, "SIGTERM");
      await new Promise((resolve) => child.once("close", resolve));
    }
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
