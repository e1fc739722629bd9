// The real server as a process: on a free port, in a folder of its own, with the mails it writes. Tests of the client
// and of the front end start it.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const binary =
  process.env.CLOAKROOM_BIN ?? fileURLToPath(new URL("../../../target/debug/cloakroom", import.meta.url));
/** Longer than anything here takes; who waits so long has failed. */
const patience = 10_000;

export interface Mail {
  to: string;
  subject: string;
  /** The whole mail, headers and all, as a reader sees it: no encoded or broken lines. */
  text: string;
}

export class House {
  /** Where the server answers; `localhost`, so that a page there is of the same site. */
  url = "";
  private child: ChildProcess | undefined;
  private written = "";

  private constructor(
    private readonly folder: string,
    private readonly settings: Record<string, string>,
  ) {
    process.once("exit", () => this.child?.kill("SIGKILL"));
  }

  /** Starts a server with the settings for tests and these variables over them. */
  static async start(settings: Record<string, string> = {}): Promise<House> {
    if (!existsSync(binary)) {
      throw new Error(`There is no ${binary}: run "cargo build" first`);
    }
    const house = new House(mkdtempSync(join(tmpdir(), "cloakroom-")), settings);
    await house.serve("127.0.0.1:0");
    return house;
  }

  /** Ends the server, and removes all that was its own. */
  async stop(): Promise<void> {
    await this.pause();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Ends the server; its port, folder and database wait for `restart`. */
  async pause(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }

  /** Starts the server again where it was. */
  async restart(): Promise<void> {
    await this.pause();
    await this.serve(`127.0.0.1:${new URL(this.url).port}`);
  }

  /** All that the server has logged. */
  log(): string {
    return this.written;
  }

  /** Every mail so far, the oldest first. */
  async mails(): Promise<Mail[]> {
    const folder = join(this.folder, "mail");
    const names = existsSync(folder) ? (await readdir(folder)).filter((name) => name.endsWith(".eml")) : [];
    return Promise.all(names.sort().map(async (name) => read(await readFile(join(folder, name), "latin1"))));
  }

  /** Waits for a mail to that address with such a text, and gives the newest. */
  async letter(to: string, pattern: RegExp): Promise<Mail> {
    for (const end = Date.now() + patience; Date.now() < end; await sleep(50)) {
      const found = (await this.mails()).filter((mail) => mail.to === to && pattern.test(mail.text)).at(-1);
      if (found) {
        return found;
      }
    }
    throw new Error(`No mail to ${to} says ${pattern}; the log:\n${this.written}`);
  }

  private async serve(bind: string): Promise<void> {
    const child = spawn(binary, ["serve"], {
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
      this.written += text;
    });
    const address = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).on("line", (line) => {
        const found = /^listening on http:\/\/(\S+)$/.exec(line);
        if (found?.[1]) {
          resolve(found[1]);
        }
      });
      child.once("error", reject);
      child.once("close", () => reject(new Error(`The server did not start; the log:\n${this.written}`)));
    });
    this.url = `http://localhost:${address.slice(address.lastIndexOf(":") + 1)}`;
  }
}

function read(raw: string): Mail {
  const bytes = raw
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const text = Buffer.from(bytes, "latin1").toString("utf8");
  const header = (name: string) => new RegExp(`^${name}: *(.*)$`, "im").exec(text)?.[1]?.trim() ?? "";
  return { to: header("To"), subject: header("Subject"), text };
}
