// Runs the server binary as a child process on a free port, in its own temporary directory, with mail written to files.
// Used by the tests of the client and of the front end.

import { type ChildProcess, spawn as spawnProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const binary =
  process.env.CLOAKROOM_BIN ?? fileURLToPath(new URL("../../../target/debug/cloakroom", import.meta.url));
/** Milliseconds to wait for a mail. */
const TIMEOUT = 30_000;

export interface Mail {
  to: string;
  subject: string;
  /** The whole mail with headers, decoded from quoted-printable. */
  text: string;
}

export class TestServer {
  /** On `localhost`, so that pages served there are same-site. */
  url = "";
  private child: ChildProcess | undefined;
  private logged = "";

  private constructor(
    private readonly folder: string,
    private settings: Record<string, string>,
  ) {
    process.once("exit", () => this.child?.kill("SIGKILL"));
  }

  /** Starts a server with the test settings; `settings` are environment variables that override them. */
  static async start(settings: Record<string, string> = {}): Promise<TestServer> {
    if (!existsSync(binary)) {
      throw new Error(`${binary} not found: run "cargo build" first`);
    }
    const server = new TestServer(mkdtempSync(join(tmpdir(), "cloakroom-")), settings);
    await server.spawn("127.0.0.1:0");
    return server;
  }

  /** Stops the server and deletes its directory. */
  async stop(): Promise<void> {
    await this.pause();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Stops the server; keeps its port, directory and database for `restart`. */
  async pause(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await exited;
  }

  /** Starts the server again on the same port and database, perhaps with further settings. */
  async restart(settings: Record<string, string> = {}): Promise<void> {
    this.settings = { ...this.settings, ...settings };
    await this.pause();
    await this.spawn(`127.0.0.1:${new URL(this.url).port}`);
  }

  /** Everything the server has logged. */
  log(): string {
    return this.logged;
  }

  /** All mails so far, oldest first. */
  async mails(): Promise<Mail[]> {
    const folder = join(this.folder, "mail");
    const names = existsSync(folder) ? (await readdir(folder)).filter((name) => name.endsWith(".eml")) : [];
    return Promise.all(
      names.sort().map(async (name) => parseMail(await readFile(join(folder, name), "latin1"))),
    );
  }

  /** Waits for a mail to that address that matches the pattern; returns the newest. */
  async waitForMail(to: string, pattern: RegExp): Promise<Mail> {
    for (const end = Date.now() + TIMEOUT; Date.now() < end; await sleep(50)) {
      const found = (await this.mails()).filter((mail) => mail.to === to && pattern.test(mail.text)).at(-1);
      if (found) {
        return found;
      }
    }
    throw new Error(`No mail to ${to} matches ${pattern}; server log:\n${this.logged}`);
  }

  private async spawn(bind: string): Promise<void> {
    const child = spawnProcess(binary, ["serve"], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        CLOAKROOM_ENV: "test",
        CLOAKROOM__DATABASE__PATH: join(this.folder, "cloakroom.db"),
        CLOAKROOM__MAIL__DIRECTORY: join(this.folder, "mail"),
        CLOAKROOM__SERVER__BIND: bind,
        ...this.settings,
      },
    });
    this.child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.logged += text;
    });
    const address = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).on("line", (line) => {
        const found = /^listening on http:\/\/(\S+)$/.exec(line);
        if (found?.[1]) {
          resolve(found[1]);
        }
      });
      child.once("error", reject);
      child.once("close", () => reject(new Error(`The server did not start; server log:\n${this.logged}`)));
    });
    this.url = `http://localhost:${address.slice(address.lastIndexOf(":") + 1)}`;
  }
}

function parseMail(raw: string): Mail {
  const bytes = raw
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const text = Buffer.from(bytes, "latin1").toString("utf8");
  const header = (name: string) => new RegExp(`^${name}: *(.*)$`, "im").exec(text)?.[1]?.trim() ?? "";
  return { to: header("To"), subject: header("Subject"), text };
}
