// Checks that hold for every page in every test: no console errors, no failed or foreign requests, no exposed tokens.

import type { BrowserContext, ConsoleMessage, Page, Request } from "@playwright/test";
import type { TestEnvironment } from "./environment.js";

/**
 * Session tokens, API keys, refresh tokens, tokens of pending sign-ins and of sign-ins by mail, and access tokens. Within a
 * random id, such as a provider puts into its URLs, the start of an access token means nothing.
 */
const TOKEN = /cr[skrpmb]_[1-9A-HJ-NP-Za-km-z]{10}|(?<![\w-])eyJ[\w-]{10}/;
/** A mailed link, with the token in its fragment or in its path; or the page that a provider sends back to, with a code. */
const MAIL_LINK =
  /^\/(?:passwords\/edit#(.+)|confirmations#(.+)|unlocks#(.+)|session\/code#(.+)|sign-in\/provider#exchange_code=(.+)|sign-in\/link#(.+)|passwords\/([^/]+)\/edit|confirmations\/([^/]+)|unlocks\/([^/]+))$/;

const COOKIES = ["cloakroom", "cloakroom_code", "cloakroom-browser"];
/** What is kept of a sign-in that was started in cookie mode. */
const STARTED = /^\{"cloakroom:provider":"\{\\"provider\\":\\"acme\\",\\"links\\":(true|false)[^}]*\}"\}$/;

export class PageMonitor {
  private readonly contexts: BrowserContext[] = [];
  private readonly found: string[] = [];
  private readonly expected: { pattern: RegExp; seen: boolean }[] = [];
  private readonly linkTokens = new Set<string>();

  constructor(private readonly env: TestEnvironment) {}

  add(context: BrowserContext): void {
    this.contexts.push(context);
    context.on("console", (message) => this.onConsole(message));
    context.on("weberror", (error) => this.report(`uncaught: ${error.error()}`));
    context.on("request", (request) => this.onRequest(request));
    const watch = (page: Page) => page.on("framenavigated", (frame) => this.noteLink(frame.url()));
    context.pages().forEach(watch);
    context.on("page", watch);
    context.on("requestfailed", (request) => {
      const why = request.failure()?.errorText ?? "";
      // Navigation aborts the requests of the page.
      if (why !== "net::ERR_ABORTED") {
        this.report(`${why} ${request.url()}`);
      }
    });
  }

  /** Allows, and requires, console errors for responses with these statuses. */
  expectStatus(...statuses: number[]): void {
    this.expectMessage(...statuses.map((status) => new RegExp(`status of ${status} `)));
  }

  /** Allows, and requires, console messages that match. */
  expectMessage(...patterns: RegExp[]): void {
    this.expected.push(...patterns.map((pattern) => ({ pattern, seen: false })));
  }

  /** All problems, at the end of a test. */
  async problems(): Promise<string[]> {
    for (const { pattern, seen } of this.expected) {
      if (!seen) {
        this.found.push(`expected but missing: ${pattern}`);
      }
    }
    for (const context of this.contexts) {
      await this.checkStorage(context);
    }
    const log = this.env.server.log();
    if (TOKEN.test(log)) {
      this.found.push(`the server logged a token: ${TOKEN.exec(log)?.[0]}`);
    }
    for (const token of this.linkTokens) {
      if (log.includes(token)) {
        this.found.push("the server logged the token of a link");
      }
    }
    return this.found;
  }

  private report(text: string) {
    const expected = this.expected.find(({ pattern }) => pattern.test(text));
    if (expected) {
      expected.seen = true;
    } else {
      this.found.push(text);
    }
  }

  private onConsole(message: ConsoleMessage) {
    const text = message.text();
    if (["error", "warning"].includes(message.type())) {
      this.report(`${message.type()}: ${text} ${message.location().url}`);
    }
    if (TOKEN.test(text) || this.containsLinkToken(text)) {
      this.found.push(`a token on the console: ${text}`);
    }
  }

  private onRequest(request: Request) {
    const url = new URL(request.url());
    if (url.protocol === "data:" || url.protocol === "blob:") {
      return;
    }
    if (!this.env.isOwn(url)) {
      this.found.push(`a request to ${url.origin}`);
    }
    if (TOKEN.test(request.url())) {
      this.found.push(`a token in ${request.url()}`);
    }
    const referrer = request.headers().referer;
    if (referrer) {
      this.found.push(`${request.url()} received the referrer ${referrer}`);
    }
    // The request for the page of a link that has its token in the path.
    const opensLink = request.isNavigationRequest() && this.noteLink(request.url());
    if (!opensLink && this.containsLinkToken(request.url())) {
      this.found.push(`the token of a link in ${request.url()}`);
    }
  }

  /** Remembers the token of a link, or the code; `false` if the URL has none. */
  private noteLink(url: string): boolean {
    const { origin } = new URL(this.env.frontend.url);
    const linkToken =
      url.startsWith(origin) && MAIL_LINK.exec(url.slice(origin.length))?.slice(1).find(Boolean);
    if (linkToken) {
      this.linkTokens.add(linkToken);
    }
    return !!linkToken;
  }

  private containsLinkToken(text: string): boolean {
    return [...this.linkTokens].some((token) => text.includes(token));
  }

  /**
   * A browser may store only the sign-in hint, which is not a credential, `HttpOnly` cookies, and in the tab what it left
   * for to a provider.
   */
  private async checkStorage(context: BrowserContext) {
    const { cookies, origins } = await context.storageState();
    for (const { name, value } of origins.flatMap(({ localStorage }) => localStorage)) {
      if (name !== `cloakroom:${this.env.server.url}` || value !== "1") {
        this.found.push(`local storage holds ${name} = ${value}`);
      }
    }
    for (const { name, domain, httpOnly, sameSite } of cookies) {
      if (domain !== new URL(this.env.frontend.url).hostname) {
        continue;
      }
      if (!COOKIES.includes(name) || !httpOnly || sameSite !== "Lax") {
        this.found.push(`a cookie ${name}, HttpOnly ${httpOnly}, SameSite ${sameSite}`);
      }
    }
    for (const page of context.pages()) {
      if (!page.url().startsWith(this.env.frontend.url)) {
        continue;
      }
      if (this.containsLinkToken(page.url())) {
        this.found.push("the token of a link is still in the address");
      }
      const [session, visible] = await page.evaluate(
        () => [JSON.stringify(sessionStorage), document.cookie] as const,
      );
      if ((session !== "{}" && !STARTED.test(session)) || session.includes("verifier") || visible !== "") {
        this.found.push(`readable by scripts: ${session} ${visible}`);
      }
    }
  }
}
