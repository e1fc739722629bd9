// What no page may do, whatever a test is about: complain, fail, call elsewhere, or show a token anywhere.

import type { BrowserContext, ConsoleMessage, Request } from "@playwright/test";
import type { Stage } from "./stage.js";

/** Tokens of sessions, keys and refreshes, and access tokens. */
const TOKEN = /cr[skr]_[1-9A-HJ-NP-Za-km-z]{10}|eyJ[\w-]{10}/;
const MAIL_LINK = /^\/(?:passwords\/([^/]+)\/edit|confirmations\/([^/]+)|unlocks\/([^/]+))$/;
const LINK_ROUTE = /^\/v1\/(?:passwords|confirmations|unlocks)\/([^/]+)$/;

export class Watch {
  private readonly contexts: BrowserContext[] = [];
  private readonly complaints: string[] = [];
  private readonly expected: { pattern: RegExp; seen: boolean }[] = [];
  private readonly linkTokens = new Set<string>();

  constructor(private readonly stage: Stage) {}

  add(context: BrowserContext): void {
    this.contexts.push(context);
    context.on("console", (message) => this.heard(message));
    context.on("weberror", (error) => this.complain(`uncaught: ${error.error()}`));
    context.on("request", (request) => this.asked(request));
    context.on("requestfailed", (request) => {
      const why = request.failure()?.errorText ?? "";
      // A page that is left takes its requests along.
      if (why !== "net::ERR_ABORTED") {
        this.complain(`${why} ${request.url()}`);
      }
    });
  }

  /** Lets the browser print failures with such a status. It must come to one. */
  expects(...statuses: number[]): void {
    this.allow(...statuses.map((status) => new RegExp(`status of ${status} `)));
  }

  /** Lets the browser complain so. It must come to that. */
  allow(...patterns: RegExp[]): void {
    this.expected.push(...patterns.map((pattern) => ({ pattern, seen: false })));
  }

  /** What was wrong, when all is over. */
  async verdict(): Promise<string[]> {
    for (const { pattern, seen } of this.expected) {
      if (!seen) {
        this.complaints.push(`expected, and never heard: ${pattern}`);
      }
    }
    for (const context of this.contexts) {
      await this.kept(context);
    }
    const log = this.stage.house.log();
    if (TOKEN.test(log)) {
      this.complaints.push(`the server logged a token: ${TOKEN.exec(log)?.[0]}`);
    }
    for (const token of this.linkTokens) {
      if (log.includes(token)) {
        this.complaints.push("the server logged the token of a link");
      }
    }
    return this.complaints;
  }

  private complain(text: string) {
    const expected = this.expected.find(({ pattern }) => pattern.test(text));
    if (expected) {
      expected.seen = true;
    } else {
      this.complaints.push(text);
    }
  }

  private heard(message: ConsoleMessage) {
    const text = message.text();
    if (["error", "warning"].includes(message.type())) {
      this.complain(`${message.type()}: ${text} ${message.location().url}`);
    }
    if (TOKEN.test(text) || this.holdsLink(text)) {
      this.complaints.push(`a token on the console: ${text}`);
    }
  }

  private asked(request: Request) {
    const url = new URL(request.url());
    if (url.protocol === "data:" || url.protocol === "blob:") {
      return;
    }
    const { front, house } = this.stage;
    const ours = url.origin === front.url || url.origin === house.url;
    if (!ours) {
      this.complaints.push(`a request to ${url.origin}`);
    }
    if (TOKEN.test(request.url())) {
      this.complaints.push(`a token in ${request.url()}`);
    }
    const referrer = request.headers().referer;
    if (referrer) {
      this.complaints.push(`${request.url()} was told of ${referrer}`);
    }
    const opened = MAIL_LINK.exec(url.pathname)?.slice(1).find(Boolean);
    if (opened && url.origin === front.url && request.isNavigationRequest()) {
      this.linkTokens.add(opened);
    } else if (
      !(url.origin === house.url && LINK_ROUTE.test(url.pathname)) &&
      this.holdsLink(request.url())
    ) {
      this.complaints.push(`the token of a link in ${request.url()}`);
    }
  }

  private holdsLink(text: string): boolean {
    return [...this.linkTokens].some((token) => text.includes(token));
  }

  /** Only the hint, which is no credential, may stay in a browser, besides a cookie that scripts cannot see. */
  private async kept(context: BrowserContext) {
    const { cookies, origins } = await context.storageState();
    for (const { name, value } of origins.flatMap(({ localStorage }) => localStorage)) {
      if (name !== `cloakroom:${this.stage.house.url}` || value !== "1") {
        this.complaints.push(`local storage holds ${name} = ${value}`);
      }
    }
    for (const { name, httpOnly, sameSite } of cookies) {
      if (name !== "cloakroom" || !httpOnly || sameSite !== "Lax") {
        this.complaints.push(`a cookie ${name}, HttpOnly ${httpOnly}, SameSite ${sameSite}`);
      }
    }
    for (const page of context.pages()) {
      if (!page.url().startsWith(this.stage.front.url)) {
        continue;
      }
      if (this.holdsLink(page.url())) {
        this.complaints.push("the token of a link is still in the address");
      }
      const [session, visible] = await page.evaluate(
        () => [JSON.stringify(sessionStorage), document.cookie] as const,
      );
      if (session !== "{}" || visible !== "") {
        this.complaints.push(`within a script's reach: ${session} ${visible}`);
      }
    }
  }
}
