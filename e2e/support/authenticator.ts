// A virtual authenticator of Chromium: a device with passkeys and a screen lock.

import type { CDPSession, Page } from "@playwright/test";

export class Authenticator {
  private constructor(
    private readonly devtools: CDPSession,
    private readonly authenticatorId: string,
  ) {}

  /** Gives the page a device whose user touches it whenever asked. A second one must be attached by `usb`. */
  static async addTo(page: Page, transport: "internal" | "usb" = "internal"): Promise<Authenticator> {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport,
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return new Authenticator(devtools, authenticatorId);
  }

  /**
   * Whether the user touches it for the prompts that open from now on. A prompt for autofill counts: it is answered as soon
   * as the sign-in page is open.
   */
  async answers(enabled: boolean): Promise<void> {
    const { authenticatorId } = this;
    await this.devtools.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
  }

  /** Whether its user passes the screen lock. */
  async verifiesUser(isUserVerified: boolean): Promise<void> {
    const { authenticatorId } = this;
    await this.devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
  }

  /** Whether its replies say that the user passed the screen lock, where it did. */
  async claimsVerification(claims: boolean): Promise<void> {
    const { authenticatorId } = this;
    await this.devtools.send("WebAuthn.setResponseOverrideBits", { authenticatorId, isBadUV: !claims });
  }

  /** The user names of its passkeys. */
  async passkeys(): Promise<(string | undefined)[]> {
    const { authenticatorId } = this;
    const { credentials } = await this.devtools.send("WebAuthn.getCredentials", { authenticatorId });
    return credentials.map(({ userName }) => userName);
  }

  /** The device is lost. */
  async remove(): Promise<void> {
    const { authenticatorId } = this;
    await this.devtools.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
  }
}
