// Sign-in by another provider: a certified one, on another site, in Chromium.

import type { Locator, Page } from "@playwright/test";
import { totpCode } from "../../clients/typescript/test/totp.js";
import { checkAppearance } from "../support/appearance.js";
import type { TestEnvironment } from "../support/environment.js";
import { button, field, heading, linkInMain, section, signIn, signInAs, tabTo } from "../support/page.js";
import { expect, test } from "../support/test.js";

test.use({ withProvider: true });

const tag = "@phone";

/** A new account at the provider. */
function accountThere(env: TestEnvironment, email = env.uniqueAddress()): string {
  env.provider.addAccount({ email });
  return email;
}

/** Signs in at the provider, or does what another button there does. */
async function atProvider(page: Page, email: string, name = "Sign in to Acme") {
  await expect(heading(page, "Sign in to Acme")).toBeVisible();
  await field(page, "Acme account").fill(email);
  await button(page, name).click();
}

/** Opens the sign-in page and signs in by the provider. */
async function signInThere(page: Page, email: string) {
  await page.goto("/sign-in");
  await button(page, "Continue with Acme").click();
  await atProvider(page, email);
}

async function signOut(page: Page) {
  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
}

/** Links the account on the account page, up to the provider. */
async function startLinking(page: Page, password: string) {
  await page.goto("/account");
  await button(linkedAccounts(page), "Link Acme").click();
  const dialog = page.getByRole("dialog", { name: "Link Acme?" });
  await field(dialog, "Current password").fill(password);
  await button(dialog, "Continue to Acme").click();
}

const linkedAccounts = (page: Page): Locator => section(page, "Sign-in methods");
const LINKED = "Acme is linked. You can sign in with it now.";
const ONLY_WAY = "This is your only way to sign in.";

test("a new user signs up and signs in, by keyboard", { tag }, async ({ page, env, context }) => {
  const { keyboard } = page;
  const email = accountThere(env);
  await page.goto("/sign-up");
  await tabTo(page, button(page, "Continue with Acme"));
  await keyboard.press("Enter");
  await expect(field(page, "Acme account")).toBeFocused();
  await keyboard.type(email);
  await keyboard.press("Enter");
  await expect(heading(page, "Projects")).toBeFocused();
  expect(page.url()).toBe(`${env.frontend.url}/`);
  await page.reload();
  await expect(heading(page, "Projects")).toBeVisible();
  await page.goto("/account");
  await expect(page.getByText(email).first()).toBeVisible();
  await expect(linkedAccounts(page).getByText(ONLY_WAY)).toBeVisible();

  await signOut(page);
  await page.getByLabel("Keep me signed in").check();
  await tabTo(page, button(page, "Continue with Acme"));
  await keyboard.press("Enter");
  // The provider knows the browser by now.
  await expect(heading(page, "Projects")).toBeVisible();
  const cookies = await context.cookies(env.server.url);
  const session = cookies.find(({ name }) => name === "cloakroom");
  expect((session?.expires ?? 0) - Date.now() / 1000).toBeGreaterThan(100 * 86_400);
});

test("sign-in by a provider leads back to the requested page", async ({ page, env }) => {
  const email = accountThere(env);
  await page.goto("/account");
  await expect(heading(page, "Sign in")).toBeVisible();
  await button(page, "Continue with Acme").click();
  await atProvider(page, email);
  await expect(heading(page, "Your account")).toBeVisible();
  await expect(page).toHaveURL(`${env.frontend.url}/account`);
});

test("a user who cancels can try again", { tag }, async ({ page, env }) => {
  const email = accountThere(env);
  await page.goto("/sign-in");
  await button(page, "Continue with Acme").click();
  await atProvider(page, "", "Cancel");
  await expect(heading(page, "Sign-in not completed")).toBeFocused();
  await expect(page.getByText("You cancelled at the provider")).toBeVisible();
  expect(page.url()).toBe(`${env.frontend.url}/sign-in/provider`);
  await checkAppearance(page, "provider-cancelled");
  await linkInMain(page, "Back to sign in").click();
  await button(page, "Continue with Acme").click();
  await atProvider(page, email);
  await expect(heading(page, "Projects")).toBeVisible();
});

test("a refusal by the provider has its code", { tag }, async ({ page }) => {
  await page.goto("/sign-in");
  await button(page, "Continue with Acme").click();
  await atProvider(page, "", "Fail");
  await expect(page.getByRole("alert")).toBeFocused();
  await expect(page.getByRole("alert")).toContainText("The provider reported an error.");
  await expect(page.getByText("provider_error")).toBeVisible();
  await checkAppearance(page, "provider-refused");
  // Nothing is left to be sent again.
  await page.reload();
  await expect(heading(page, "Sign in")).toBeVisible();
});

test("an unverified address gets no account", async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const email = env.uniqueAddress();
  env.provider.addAccount({ email, email_verified: false });
  await signInThere(page, email);
  await expect(page.getByRole("alert")).toContainText("The provider states no verified email address");
});

test("an address that has an account leads to linking it", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(409);
  const user = await env.createUser();
  await env.confirmAddress(user);
  accountThere(env, user.address);
  await signInThere(page, user.address);
  await expect(page.getByRole("alert")).toContainText("Your email address has an account here.");
  await checkAppearance(page, "provider-account-exists");
  await linkInMain(page, "Back to sign in").click();
  await signIn(page, user);
  await expect(heading(page, "Projects")).toBeVisible();
  await startLinking(page, user.password);
  await expect(linkedAccounts(page).getByText(LINKED)).toBeVisible();
  await signOut(page);
  await button(page, "Continue with Acme").click();
  await expect(heading(page, "Projects")).toBeVisible();
});

test("a mailed link links the account and signs in", { tag }, async ({ page, env, monitor, newDevice }) => {
  monitor.expectStatus(401, 409);
  const user = await env.createUser();
  await env.confirmAddress(user);
  accountThere(env, user.address);
  await signInThere(page, user.address);
  await expect(page.getByRole("alert")).toContainText("Open the link that was mailed to it in this browser.");
  const link = await env.mailedLink(user.address, "sign-in/link");

  const other = await newDevice();
  await other.goto(link);
  await expect(other.getByText("open the link in that browser")).toBeVisible();
  await expect(button(other, "Link and sign in")).toBeHidden();
  await checkAppearance(other, "identity-link-elsewhere");

  await page.goto(link);
  await expect(page.getByText("will sign you in to the account")).toBeVisible();
  await expect(page).toHaveURL(`${env.frontend.url}/sign-in/link`);
  await checkAppearance(page, "identity-link");
  await button(page, "Link and sign in").click();
  await expect(heading(page, "Projects")).toBeVisible();
  await page.goto("/account");
  await expect(button(linkedAccounts(page), `Unlink Acme ${user.address}`)).toBeVisible();

  await page.goto(link);
  await expect(page.getByRole("alert")).toContainText("invalid or has expired");
  await checkAppearance(page, "identity-link-used");
});

test("a mailed link asks for the second factor", async ({ page, env, monitor }) => {
  monitor.expectStatus(401, 409);
  const user = await env.createUser();
  await env.confirmAddress(user);
  const { secret } = await env.setUpApp(user);
  accountThere(env, user.address);
  await signInThere(page, user.address);
  await expect(page.getByRole("alert")).toContainText("Open the link");
  await page.goto(await env.mailedLink(user.address, "sign-in/link"));
  await button(page, "Link and sign in").click();
  await expect(heading(page, "Enter your code")).toBeVisible();
  await field(page, "Code").fill(await totpCode(secret));
  await button(page, "Sign in").click();
  await expect(heading(page, "Projects")).toBeVisible();
});

test("accounts are linked and unlinked, by keyboard", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const { keyboard } = page;
  const user = await env.createUser();
  await env.confirmAddress(user);
  const email = accountThere(env);
  await signInAs(page, user);
  await page.goto("/account");
  const methods = linkedAccounts(page);
  await tabTo(page, button(methods, "Link Acme"));
  await keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Link Acme?" });
  await checkAppearance(page, "provider-link");
  await field(dialog, "Current password").fill("not this one");
  await keyboard.press("Enter");
  await expect(field(dialog, "Current password")).toHaveAccessibleDescription(/is incorrect/);
  await keyboard.press("Escape");
  await expect(button(methods, "Link Acme")).toBeFocused();
  await keyboard.press("Enter");
  await field(dialog, "Current password").fill(user.password);
  await keyboard.press("Enter");
  await atProvider(page, email);

  await expect(methods.getByText(LINKED)).toBeVisible();
  await expect(heading(page, "Linked accounts")).toBeFocused();
  await expect(button(methods, `Unlink Acme ${email}`)).toBeVisible();
  await expect(button(methods, "Link Acme")).toBeHidden();
  await env.server.waitForMail(user.address, /was linked to your account/);
  await checkAppearance(page, "provider-linked");
  await page.reload();
  await expect(button(methods, `Unlink Acme ${email}`)).toBeVisible();
  await expect(methods.getByText(LINKED)).toBeHidden();

  await tabTo(page, button(methods, `Unlink Acme ${email}`));
  await keyboard.press("Enter");
  const unlink = page.getByRole("dialog", { name: "Unlink Acme?" });
  await checkAppearance(page, "provider-unlink");
  await field(unlink, "Current password").fill(user.password);
  await keyboard.press("Enter");
  await expect(methods.getByText("Acme was unlinked. It no longer signs you in.")).toBeVisible();
  await expect(heading(page, "Linked accounts")).toBeFocused();
  await expect(button(methods, "Link Acme")).toBeVisible();
});

test("an account of another user is not linked", async ({ page, env, monitor, newDevice }) => {
  monitor.expectStatus(409);
  const email = accountThere(env);
  const other = await newDevice();
  await other.goto(`${env.frontend.url}/sign-in`);
  await button(other, "Continue with Acme").click();
  await atProvider(other, email);
  await expect(heading(other, "Projects")).toBeVisible();

  const user = await env.createUser();
  await env.confirmAddress(user);
  await signInAs(page, user);
  await startLinking(page, user.password);
  await atProvider(page, email);
  await expect(heading(page, "Account not linked")).toBeVisible();
  await expect(page.getByRole("alert")).toContainText("linked already, to this account or another one here");
  await linkInMain(page, "Back to your account").click();
  await expect(heading(page, "Your account")).toBeVisible();
});

test("cancelling a link changes nothing", async ({ page, env }) => {
  const user = await env.createUser();
  await env.confirmAddress(user);
  await signInAs(page, user);
  await startLinking(page, user.password);
  await atProvider(page, "", "Cancel");
  await expect(heading(page, "Account not linked")).toBeVisible();
  await linkInMain(page, "Back to your account").click();
  await expect(button(linkedAccounts(page), "Link Acme")).toBeVisible();
});

test("a second factor is asked for after the provider", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  await env.confirmAddress(user);
  const email = accountThere(env);
  await signInAs(page, user);
  await startLinking(page, user.password);
  await atProvider(page, email);
  await expect(linkedAccounts(page).getByText(LINKED)).toBeVisible();
  const { secret, recoveryCodes } = await env.setUpApp(user);
  await signOut(page);

  await button(page, "Continue with Acme").click();
  await expect(heading(page, "Enter your code")).toBeVisible();
  await checkAppearance(page, "provider-second-factor");
  await button(page, "Start over").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await button(page, "Continue with Acme").click();
  await field(page, "Code").fill(await totpCode(secret));
  await button(page, "Sign in").click();
  await expect(heading(page, "Projects")).toBeVisible();

  await signOut(page);
  await button(page, "Continue with Acme").click();
  await button(page, "Use a recovery code").click();
  // The page was loaded again: the sign-in is given up, and can be started again.
  await page.reload();
  await expect(heading(page, "Sign in")).toBeVisible();
  await button(page, "Continue with Acme").click();
  await button(page, "Use a recovery code").click();
  await field(page, "Recovery code").fill(recoveryCodes[0] ?? "");
  await button(page, "Sign in").click();
  await expect(heading(page, "Projects")).toBeVisible();
});

test("a sign-in that took too long starts again", { tag }, async ({ page, env }) => {
  const email = accountThere(env);
  await page.goto("/sign-in");
  await button(page, "Continue with Acme").click();
  await expect(heading(page, "Sign in to Acme")).toBeVisible();
  // As the server redirects after ten minutes.
  await page.goto("/sign-in/provider#error=state_expired");
  await expect(page.getByRole("alert")).toContainText("It took more than ten minutes.");
  await checkAppearance(page, "provider-expired");
  await linkInMain(page, "Back to sign in").click();
  await button(page, "Continue with Acme").click();
  await atProvider(page, email);
  await expect(heading(page, "Projects")).toBeVisible();
});

test("the back button leaves usable pages", async ({ page, env }) => {
  const email = accountThere(env);
  await page.goto("/sign-in");
  await button(page, "Continue with Acme").click();
  await expect(heading(page, "Sign in to Acme")).toBeVisible();
  await page.goBack();
  await expect(heading(page, "Sign in")).toBeVisible();
  await button(page, "Continue with Acme").click();
  await atProvider(page, email);
  await expect(heading(page, "Projects")).toBeVisible();

  await page.goBack();
  await expect(heading(page, "Sign in to Acme")).toBeVisible();
  await page.goForward();
  await expect(heading(page, "Projects")).toBeVisible();
  expect(page.url()).toBe(`${env.frontend.url}/`);
});

test("a callback that is opened again changes nothing", async ({ page, env, newDevice }) => {
  const email = accountThere(env);
  const callbacks: string[] = [];
  page.on("request", (request) => request.url().includes("/acme/callback?") && callbacks.push(request.url()));
  await signInThere(page, email);
  await expect(heading(page, "Projects")).toBeVisible();
  expect(callbacks).toHaveLength(1);
  const [callback = ""] = callbacks;
  // The user is signed in: nothing has to be said.
  await page.goto(callback);
  await expect(heading(page, "Projects")).toBeVisible();

  await signOut(page);
  await page.goto(callback);
  await expect(page.getByRole("alert")).toContainText("works once only");
  const other = await newDevice();
  await other.goto(callback);
  await expect(other.getByRole("alert")).toContainText("It was started in another browser");
});

test("a code of another browser signs no user in", async ({ page, env, monitor, newDevice }) => {
  monitor.expectStatus(401);
  const email = accountThere(env);
  const attacker = await newDevice();
  // Keeps the code from being used.
  await attacker.route("**/v1/session/exchange", (route) => route.abort("aborted"));
  const landed = attacker.waitForRequest("**/v1/session/exchange");
  await attacker.goto(`${env.frontend.url}/sign-in`);
  await button(attacker, "Continue with Acme").click();
  await atProvider(attacker, email);
  const { exchange_code } = (await landed).postDataJSON();
  await page.goto(`/sign-in/provider#exchange_code=${exchange_code}`);
  await expect(page.getByRole("alert")).toContainText("The sign-in took too long, or was used already.");
  await page.goto("/account");
  await expect(heading(page, "Sign in")).toBeVisible();
});

test("two tabs can sign in at once", async ({ page, env, context }) => {
  const email = accountThere(env);
  const other = await context.newPage();
  for (const each of [page, other]) {
    await each.goto("/sign-in");
    await button(each, "Continue with Acme").click();
    await expect(heading(each, "Sign in to Acme")).toBeVisible();
  }
  const third = await context.newPage();
  await third.goto("/sign-in");
  await expect(heading(third, "Sign in")).toBeVisible();
  await atProvider(other, email);
  await expect(heading(other, "Projects")).toBeVisible();
  // A tab that waits at the sign-in page follows.
  await expect(heading(third, "Projects")).toBeVisible();
  await atProvider(page, email);
  await expect(heading(page, "Projects")).toBeVisible();
  for (const each of [page, other, third]) {
    await each.reload();
    await expect(heading(each, "Projects")).toBeVisible();
  }
});

test("one tab links while another signs in", async ({ page, env, context }) => {
  const user = await env.createUser();
  await env.confirmAddress(user);
  const email = accountThere(env);
  const other = await context.newPage();
  await other.goto("/sign-in");
  await button(other, "Continue with Acme").click();
  await expect(heading(other, "Sign in to Acme")).toBeVisible();
  await signInAs(page, user);
  await startLinking(page, user.password);
  await atProvider(page, email);
  await expect(linkedAccounts(page).getByText(LINKED)).toBeVisible();
  await atProvider(other, email);
  await expect(heading(other, "Projects")).toBeVisible();
  await other.goto("/account");
  await expect(other.getByText(user.address).first()).toBeVisible();
});

test("a user of a provider sets a password by a mailed code", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const email = accountThere(env);
  await signInThere(page, email);
  await expect(heading(page, "Projects")).toBeVisible();
  await page.goto("/account");
  const methods = linkedAccounts(page);
  await expect(methods.getByText(ONLY_WAY)).toBeVisible();
  await expect(button(methods, `Unlink Acme ${email}`)).toBeHidden();

  const password = section(page, "Password");
  await field(password, "New password").fill("a green cloak, please");
  await field(password, "Password again").fill("a green cloak, please");
  await button(password, "Set password").click();
  await expect(password.getByText("Confirm with a mailed code first.")).toBeVisible();
  await button(password, "Email me a code to confirm it is you").click();
  await expect(field(password, "Code")).toBeFocused();
  await page.keyboard.type("00000000");
  await page.keyboard.press("Enter");
  await expect(field(password, "Code")).toHaveAccessibleDescription(/Code is incorrect/);
  await checkAppearance(page, "confirm-by-mail");
  const { text } = await env.server.waitForMail(email, /sign in: \d{8}/);
  await field(password, "Code").fill(/sign in: (\d{8})/.exec(text)?.[1] ?? "");
  await page.keyboard.press("Enter");
  await expect(password.getByText("Confirmed.")).toBeFocused();
  await button(password, "Set password").click();
  await expect(button(password, "Change password")).toBeVisible();

  await expect(methods.getByText(ONLY_WAY)).toBeHidden();
  await button(methods, `Unlink Acme ${email}`).click();
  const dialog = page.getByRole("dialog", { name: "Unlink Acme?" });
  await button(dialog, "Unlink account").click();
  await expect(methods.getByText("Acme was unlinked.")).toBeVisible();
  await signOut(page);
  await signIn(page, { address: email, password: "a green cloak, please" });
  await expect(heading(page, "Projects")).toBeVisible();
});

test("the pages with providers look right", { tag }, async ({ page }) => {
  for (const [path, title] of [
    ["/sign-in", "Sign in"],
    ["/sign-up", "Sign up"],
  ] as const) {
    await page.goto(path);
    await expect(heading(page, title)).toBeVisible();
    await expect(button(page, "Continue with Acme")).toBeVisible();
    await checkAppearance(page, `${path.slice(1)}-providers`);
  }
});
