// The built front end and the real server, on two ports: two origins of one site. Each worker has its own pair, so that
// parallel tests share no mails and no log.

import { type Mail, TestServer } from "../../clients/typescript/test/test-server.js";
import { previousTotpCode } from "../../clients/typescript/test/totp.js";
import { type FrontendServer, start } from "../../frontend/serve.mjs";
import { IdentityProvider } from "./identity-provider.js";

export const PASSWORD = "a black cloak, please";

/** A user with an account and a session outside the browser. */
export interface TestUser {
  address: string;
  password: string;
  /** Calls the API with the user's session token. */
  call(method: string, path: string, body?: object): Promise<unknown>;
}

export class TestEnvironment {
  private userCount = 0;

  private constructor(
    readonly frontend: FrontendServer,
    readonly server: TestServer,
    private readonly startedProvider: IdentityProvider | undefined,
  ) {}

  static async start(settings: Record<string, string>, withProvider = false): Promise<TestEnvironment> {
    const frontend = await start({ mailCodes: true });
    const server = await TestServer.start({
      CLOAKROOM__SERVER__FRONTEND_URL: frontend.url,
      CLOAKROOM__CORS__ORIGINS: frontend.url,
      CLOAKROOM__CORS__CREDENTIALS: "true",
      CLOAKROOM__SIGN_IN__MAIL_CODE: "true",
      // A verbose log, so that a leaked token would show up in it.
      CLOAKROOM__LOG__LEVEL: "info,cloakroom=trace",
      ...settings,
    });
    frontend.setApi(server.url);
    if (!withProvider) {
      return new TestEnvironment(frontend, server, undefined);
    }
    const provider = await IdentityProvider.start(server.url);
    await server.restart({ CLOAKROOM__SERVER__PUBLIC_URL: server.url, ...provider.settings });
    return new TestEnvironment(frontend, server, provider);
  }

  /** Of tests with `withProvider`. */
  get provider(): IdentityProvider {
    if (!this.startedProvider) {
      throw new Error("test.use({ withProvider: true }) is missing");
    }
    return this.startedProvider;
  }

  /** Whether a URL is one of the servers of this environment. */
  isOwn(url: URL): boolean {
    const { frontend, server, startedProvider } = this;
    return [frontend.url, server.url, startedProvider?.url].includes(url.origin);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.frontend.stop();
    await this.startedProvider?.stop();
  }

  /** An unused email address. */
  uniqueAddress(): string {
    return `user-${++this.userCount}@example.com`;
  }

  /** Signs up a user over the API. */
  async createUser(): Promise<TestUser> {
    const address = this.uniqueAddress();
    const account = { email_address: address, password: PASSWORD };
    const { token } = (await this.call("POST", "/v1/registrations", account)) as { token: string };
    return {
      address,
      password: PASSWORD,
      call: (method, path, body) => this.call(method, path, body, token),
    };
  }

  /** Confirms the user's address by the mailed link, over the API. */
  async confirmAddress({ address, call }: TestUser): Promise<void> {
    await call("POST", "/v1/confirmations", { email_address: address });
    const link = await this.mailedLink(address, "confirmations");
    await call("PUT", "/v1/confirmations", { token: link.split("#")[1] });
  }

  /** Sets up an authenticator app over the API. */
  async setUpApp(user: TestUser): Promise<{ secret: string; recoveryCodes: string[] }> {
    const password_challenge = user.password;
    const { secret } = (await user.call("POST", "/v1/user/totp", { password_challenge })) as {
      secret: string;
    };
    const body = { code: await previousTotpCode(secret), password_challenge };
    const { recovery_codes } = (await user.call("PUT", "/v1/user/totp", body)) as {
      recovery_codes: string[];
    };
    return { secret, recoveryCodes: recovery_codes };
  }

  /** The link with that path in the newest mail to the address. */
  async mailedLink(
    to: string,
    path: "passwords" | "confirmations" | "unlocks" | "session/code" | "sign-in/link",
  ): Promise<string> {
    const pattern = new RegExp(`${this.frontend.url}/${path}[/#][^\\s"<>]+`);
    const { text } = await this.server.waitForMail(to, pattern);
    return pattern.exec(text)?.[0] ?? "";
  }

  mailsTo(to: string): Promise<Mail[]> {
    return this.server.mails().then((all) => all.filter((mail) => mail.to === to));
  }

  private async call(method: string, path: string, body?: object, token?: string): Promise<unknown> {
    const response = await fetch(this.server.url + path, {
      method,
      headers: {
        ...(body && { "Content-Type": "application/json" }),
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${text}`);
    }
    return text ? JSON.parse(text) : undefined;
  }
}
