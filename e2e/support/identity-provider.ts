// A certified provider of OpenID Connect in this process, on another site than the front end: `oidc-provider`, with accounts
// of the tests' own, a sign-in page that asks for the address only, and consent that is taken as given.

import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

const CLIENT_ID = "cloakroom";
const CLIENT_SECRET = "a:secret%with&signs";
/** Seconds for which all that it issues is valid. */
const TTL = 600;
const SCOPE = "openid email profile";

/** An account there. Without `email_verified` its address is verified. */
export interface ProviderAccount {
  email: string;
  email_verified?: boolean;
  name?: string;
}

export class IdentityProvider {
  /** Its issuer. */
  readonly url: string;
  /** By subject. */
  private readonly accounts = new Map<string, ProviderAccount>();
  private readonly provider: Provider;

  private constructor(
    private readonly server: Server,
    cloakroom: string,
  ) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.provider = new Provider(this.url, {
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          redirect_uris: [`${cloakroom}/v1/session/identity/acme/callback`],
        },
      ],
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      cookies: { keys: ["tests"] },
      features: { devInteractions: { enabled: false } },
      findAccount: (_, accountId) => {
        const account = this.accounts.get(accountId);
        return account && { accountId, claims: () => ({ email_verified: true, ...account, sub: accountId }) };
      },
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig" }] },
      ttl: { AccessToken: TTL, Grant: TTL, IdToken: TTL, Interaction: TTL, Session: TTL },
      loadExistingGrant: async ({ oidc }) => {
        const grant = new oidc.provider.Grant({
          clientId: oidc.client.clientId,
          accountId: oidc.session.accountId,
        });
        grant.addOIDCScope(SCOPE);
        await grant.save();
        return grant;
      },
    });
    const answer = this.provider.callback();
    server.on("request", (request, response) => {
      if (request.url?.startsWith("/interaction/")) {
        void this.interact(request, response);
      } else {
        void answer(request, response);
      }
    });
  }

  /** Starts one that knows the Cloakroom server at this URL as its client. */
  static async start(cloakroom: string): Promise<IdentityProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new IdentityProvider(server, cloakroom);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** The settings of the Cloakroom server. */
  get settings(): Record<string, string> {
    return {
      CLOAKROOM__PROVIDERS__ACME__NAME: "Acme",
      CLOAKROOM__PROVIDERS__ACME__ISSUER: this.url,
      CLOAKROOM__PROVIDERS__ACME__CLIENT_ID: CLIENT_ID,
      CLOAKROOM__PROVIDERS__ACME__CLIENT_SECRET: CLIENT_SECRET,
      CLOAKROOM__OUTBOUND__PRIVATE_NETWORKS: "127.0.0.0/8",
    };
  }

  addAccount(account: ProviderAccount): void {
    this.accounts.set(`subject of ${account.email}`, account);
  }

  /** The page that signs in or cancels. */
  private async interact(request: IncomingMessage, response: ServerResponse) {
    if (request.method !== "POST") {
      this.showPage(response);
      return;
    }
    const form = new URLSearchParams(await bodyOf(request));
    const accountId = `subject of ${form.get("email")}`;
    const result =
      form.get("action") === "sign-in" && this.accounts.has(accountId)
        ? { login: { accountId } }
        : { error: form.get("action") === "fail" ? "server_error" : "access_denied" };
    try {
      await this.provider.interactionFinished(request, response, result);
    } catch {
      // The page was shown again by the back button.
      this.showPage(response);
    }
  }

  private showPage(response: ServerResponse) {
    response.writeHead(200, { "Content-Type": "text/html", "Referrer-Policy": "no-referrer" });
    response.end(`<!doctype html>
      <html lang="en"><title>Acme</title><link rel="icon" href="data:,">
      <h1>Sign in to Acme</h1>
      <form method="post">
        <label>Acme account <input name="email" autofocus></label>
        <button name="action" value="sign-in">Sign in to Acme</button>
        <button name="action" value="cancel">Cancel</button>
        <button name="action" value="fail">Fail</button>
      </form>`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const part of request.setEncoding("utf8")) {
    body += part;
  }
  return body;
}
