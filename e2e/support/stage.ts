// The built front end and the real server behind it, each on a port of its own: two origins of one site. Each worker
// has its own pair, so tests share no mails and no log with those that run beside them.

import { type Mail, TestServer } from "../../clients/typescript/test/test-server.js";
import { type Served, start } from "../../frontend/serve.mjs";

export const PASSWORD = "a black cloak, please";

/** Somebody with an account, and a session besides those of the browser. */
export interface Person {
  address: string;
  password: string;
  /** Calls the API as this person, as another device would. */
  call(method: string, path: string, body?: object): Promise<unknown>;
}

export class Stage {
  private people = 0;

  private constructor(
    readonly front: Served,
    readonly house: TestServer,
  ) {}

  static async raise(settings: Record<string, string>): Promise<Stage> {
    const front = await start();
    const house = await TestServer.start({
      CLOAKROOM__SERVER__FRONTEND_URL: front.url,
      CLOAKROOM__CORS__ORIGINS: front.url,
      CLOAKROOM__CORS__CREDENTIALS: "true",
      // The more it says, the more a token could be in it.
      CLOAKROOM__LOG__LEVEL: "info,cloakroom=trace",
      ...settings,
    });
    front.setApi(house.url);
    return new Stage(front, house);
  }

  async strike(): Promise<void> {
    await this.house.stop();
    await this.front.stop();
  }

  /** An address that nobody else has. */
  address(): string {
    return `guest-${++this.people}@example.com`;
  }

  /** Signs somebody up, not by the front end. */
  async person(): Promise<Person> {
    const address = this.address();
    const account = { email_address: address, password: PASSWORD };
    const { token } = (await this.call("POST", "/v1/registrations", account)) as { token: string };
    return {
      address,
      password: PASSWORD,
      call: (method, path, body) => this.call(method, path, body, token),
    };
  }

  /** The link in the newest mail to that address with such a path. */
  async link(to: string, path: "passwords" | "confirmations" | "unlocks"): Promise<string> {
    const pattern = new RegExp(`${this.front.url}/${path}/[^\\s"<>]+`);
    const { text } = await this.house.waitForMail(to, pattern);
    return pattern.exec(text)?.[0] ?? "";
  }

  mails(to: string): Promise<Mail[]> {
    return this.house.mails().then((all) => all.filter((mail) => mail.to === to));
  }

  private async call(method: string, path: string, body?: object, token?: string): Promise<unknown> {
    const reply = await fetch(this.house.url + path, {
      method,
      headers: {
        ...(body && { "Content-Type": "application/json" }),
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    if (!reply.ok) {
      throw new Error(`${method} ${path}: ${reply.status} ${text}`);
    }
    return text ? JSON.parse(text) : undefined;
  }
}
