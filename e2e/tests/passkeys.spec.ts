// Passkeys in Chromium, on virtual authenticators.

import type { Page } from "@playwright/test";
import { checkAppearance } from "../support/appearance.js";
import { Authenticator } from "../support/authenticator.js";
import { PASSWORD, type TestEnvironment } from "../support/environment.js";
import {
  button,
  expectFieldError,
  field,
  heading,
  section,
  signIn,
  signInAs,
  tabTo,
} from "../support/page.js";
import { expect, test } from "../support/test.js";

const tag = "@phone";
const CLOSED = "The passkey prompt was closed or timed out. You can try again.";

/** Signs up by a passkey of the device. */
async function signUpByPasskey(page: Page, address: string) {
  await page.goto("/sign-up");
  await button(page, "Use a passkey instead of a password").click();
  await field(page, "Email address").fill(address);
  await button(page, "Sign up with a passkey").click();
  await expect(heading(page, "Projects")).toBeVisible();
}

async function signOut(page: Page) {
  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
}

/** For tests that sign out: a device would also answer the prompt for suggestions, and sign in again at once. */
async function withoutSuggestions(page: Page) {
  await page.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = async () => false;
  });
}

/** Opens the account page of a new user with a password, on a device that can have passkeys. */
async function openAccount(page: Page, env: TestEnvironment) {
  const user = await env.createUser();
  const device = await Authenticator.addTo(page);
  await signInAs(page, user);
  await page.goto("/account");
  return { user, device };
}

const passkeysOf = (page: Page) => section(page, "Sign-in methods");

/** Adds a passkey on the account page, confirmed by the password. */
async function addPasskey(page: Page, name: string, password = PASSWORD) {
  const methods = passkeysOf(page);
  await button(methods, "Add a passkey").click();
  await field(methods, "Name").fill(name);
  await field(methods, "Current password").fill(password);
  await button(methods, "Continue").click();
  await expect(methods.getByText(`${name} was added. You can sign in with it now.`)).toBeVisible();
}

test("a person without a password lives by passkeys alone, by keyboard", async ({ page, env, monitor }) => {
  monitor.expectStatus(409);
  await withoutSuggestions(page);
  const { keyboard } = page;
  const laptop = await Authenticator.addTo(page);
  const address = env.uniqueAddress();
  await page.goto("/sign-up");
  await tabTo(page, button(page, "Use a passkey instead of a password"));
  await keyboard.press("Enter");
  await expect(field(page, "Password")).toBeHidden();
  await tabTo(page, field(page, "Email address"));
  await keyboard.type(address);
  await keyboard.press("Enter");
  await expect(heading(page, "Projects")).toBeFocused();
  expect(await laptop.passkeys()).toEqual([address]);

  await signOut(page);
  await tabTo(page, button(page, "Sign in with a passkey"));
  await keyboard.press("Enter");
  await expect(heading(page, "Projects")).toBeVisible();
  await page.reload();
  await expect(heading(page, "Projects")).toBeVisible();

  await page.goto("/account");
  const methods = passkeysOf(page);
  await expect(methods.getByText("This is your only way to sign in.")).toBeVisible();
  await expect(methods.getByText("On one device")).toBeVisible();
  await expect(button(methods, "Remove Passkey")).toBeHidden();
  await tabTo(page, button(methods, "Add a passkey"));
  await keyboard.press("Enter");
  await expect(field(methods, "Name")).toBeFocused();
  await keyboard.type("Key");
  await tabTo(page, button(methods, "Confirm with your passkey"));
  await keyboard.press("Enter");
  const form = methods.getByRole("form", { name: "Add a passkey" });
  await expect(form.getByText("Confirmed with your passkey.")).toBeFocused();
  await laptop.answers(false);
  const key = await Authenticator.addTo(page, "usb");
  await tabTo(page, button(methods, "Continue"));
  await keyboard.press("Enter");
  await expect(methods.getByText("Key was added. You can sign in with it now.")).toBeVisible();
  await expect(heading(page, "Passkeys")).toBeFocused();
  expect(await key.passkeys()).toEqual([address]);
  await env.server.waitForMail(address, /passkey/i);
  await expect(methods.getByText("This is your only way to sign in.")).toBeHidden();

  await laptop.remove();
  await signOut(page);
  await tabTo(page, button(page, "Sign in with a passkey"));
  await keyboard.press("Enter");
  await expect(heading(page, "Projects")).toBeVisible();
  await page.goto("/account");
  await tabTo(page, button(methods, "Remove Passkey"));
  await keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Remove this passkey?" });
  await tabTo(page, button(dialog, "Confirm with your passkey"));
  await keyboard.press("Enter");
  await expect(dialog.getByText("Confirmed with your passkey.")).toBeFocused();
  await tabTo(page, button(dialog, "Remove passkey"));
  await keyboard.press("Enter");
  await expect(methods.getByText("Passkey was removed. It no longer signs you in.")).toBeVisible();
  await expect(heading(page, "Passkeys")).toBeFocused();
  await expect(methods.getByText("This is your only way to sign in.")).toBeVisible();

  const refusal = await page.evaluate(async (api) => {
    const init = { credentials: "include" } as const;
    const list = await (await fetch(`${api}/v1/user/passkeys`, init)).json();
    const url = `${api}/v1/user/passkeys/${list.passkeys[0].id}`;
    const reply = await fetch(url, { ...init, method: "DELETE" });
    return { status: reply.status, code: (await reply.json()).code };
  }, env.server.url);
  expect(refusal).toEqual({ status: 409, code: "last_sign_in_method" });
});

test("a passkey chosen among the suggestions signs in", { tag }, async ({ page, env }) => {
  const device = await Authenticator.addTo(page);
  await signUpByPasskey(page, env.uniqueAddress());
  await device.answers(false);
  await signOut(page);
  await expect(field(page, "Email address")).toHaveAttribute("autocomplete", "username webauthn");
  // A virtual device answers the prompt of the next page at once: as a user does who chooses the suggestion.
  await device.answers(true);
  await page.goto("/account");
  await expect(heading(page, "Your account")).toBeVisible();
});

test("a closed prompt, and a user who is not verified, can try again", { tag }, async ({
  page,
  env,
  monitor,
}) => {
  monitor.expectStatus(401);
  await withoutSuggestions(page);
  const device = await Authenticator.addTo(page);
  await signUpByPasskey(page, env.uniqueAddress());
  await signOut(page);
  const alert = page.getByRole("alert");

  await device.verifiesUser(false);
  await button(page, "Sign in with a passkey").click();
  await expect(alert.filter({ hasText: CLOSED })).toBeVisible();
  await expect(button(page, "Sign in with a passkey")).toBeFocused();
  await checkAppearance(page, "sign-in-passkey-closed");

  await device.verifiesUser(true);
  await device.claimsVerification(false);
  await button(page, "Sign in with a passkey").click();
  await expect(alert.filter({ hasText: "The passkey could not be verified." })).toBeVisible();

  await device.claimsVerification(true);
  await button(page, "Sign in with a passkey").click();
  await expect(heading(page, "Projects")).toBeVisible();
});

test("a passkey that was removed elsewhere is no longer offered", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  await withoutSuggestions(page);
  const { user, device } = await openAccount(page, env);
  await addPasskey(page, "Laptop");
  const { passkeys } = (await user.call("GET", "/v1/user/passkeys")) as { passkeys: { id: number }[] };
  const password_challenge = user.password;
  await user.call("DELETE", `/v1/user/passkeys/${passkeys[0]?.id}`, { password_challenge });
  await signOut(page);
  await button(page, "Sign in with a passkey").click();
  await expect(page.getByText("This passkey is not known here.")).toBeVisible();
  await expect.poll(() => device.passkeys()).toEqual([]);
});

test("a passkey is shown with the new address once it is confirmed", async ({ page, env }) => {
  const { user, device } = await openAccount(page, env);
  await addPasskey(page, "Laptop");
  expect(await device.passkeys()).toEqual([user.address]);
  const next = env.uniqueAddress();
  const { password: password_challenge } = user;
  await user.call("PUT", "/v1/user/email_address", { email_address: next, password_challenge });
  await page.goto(await env.mailedLink(next, "confirmations"));
  await button(page, "Confirm this address").click();
  await expect.poll(() => device.passkeys()).toEqual([next]);
});

test("a browser without passkeys offers none", async ({ page, env }) => {
  await page.addInitScript(() => Reflect.deleteProperty(window, "PublicKeyCredential"));
  await page.goto("/sign-up");
  await expect(button(page, "Sign up")).toBeVisible();
  await expect(button(page, "Use a passkey instead of a password")).toBeHidden();
  await page.goto("/sign-in");
  await expect(button(page, "Sign in")).toBeVisible();
  await expect(button(page, "Sign in with a passkey")).toBeHidden();
  await signInAs(page, await env.createUser());
  await page.goto("/account");
  await expect(passkeysOf(page).getByText("This browser doesn't support passkeys.")).toBeVisible();
});

test("passkeys are added, renamed and removed beside a password", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const { device } = await openAccount(page, env);
  const methods = passkeysOf(page);
  await button(methods, "Add a passkey").click();
  await field(methods, "Name").fill("Laptop");
  await field(methods, "Current password").fill("not this one");
  await button(methods, "Continue").click();
  await expectFieldError(field(methods, "Current password"), "is incorrect");
  await checkAppearance(page, "passkeys-add");
  await button(methods, "Cancel").click();
  await expect(button(methods, "Add a passkey")).toBeFocused();
  await addPasskey(page, "Laptop");
  await checkAppearance(page, "passkeys");

  await button(methods, "Add a passkey").click();
  await button(methods, "Use your passkey instead").click();
  await expect(methods.getByText("Confirmed with your passkey.")).toBeFocused();
  await button(methods, "Continue").click();
  await expect(
    methods.getByRole("alert").filter({ hasText: "This device already has a passkey for your account." }),
  ).toBeVisible();
  await button(methods, "Cancel").click();

  await button(methods, "Rename Laptop").click();
  await expect(field(methods, "Name")).toBeFocused();
  await checkAppearance(page, "passkeys-rename");
  await field(methods, "Name").fill("Work laptop");
  await button(methods, "Save").click();
  await expect(button(methods, "Rename Work laptop")).toBeFocused();

  await button(methods, "Remove Work laptop").click();
  const dialog = page.getByRole("dialog", { name: "Remove this passkey?" });
  await expect(dialog.getByText("Confirmed with your passkey.")).toBeVisible();
  await checkAppearance(page, "passkeys-remove");
  await button(dialog, "Cancel").click();
  await expect(button(methods, "Remove Work laptop")).toBeFocused();
  await button(methods, "Remove Work laptop").click();
  await button(dialog, "Remove passkey").click();
  await expect(methods.getByText("Work laptop was removed. It no longer signs you in.")).toBeVisible();
  // The password manager was notified.
  await expect.poll(() => device.passkeys()).toEqual([]);
});

test("a password is removed and set again", async ({ page, env }) => {
  await withoutSuggestions(page);
  const { user } = await openAccount(page, env);
  const password = section(page, "Password");
  await expect(button(password, "Remove password")).toBeHidden();
  await addPasskey(page, "Laptop");
  await button(password, "Remove password").click();
  const dialog = page.getByRole("dialog", { name: "Remove your password?" });
  await field(dialog, "Current password").fill(user.password);
  await checkAppearance(page, "password-remove");
  await button(dialog, "Remove password").click();
  await expect(password.getByText("Your account has no password")).toBeVisible();
  await expect(heading(page, "Password")).toBeFocused();
  await expect(field(password, "Current password")).toBeHidden();
  await expect(passkeysOf(page).getByText("This is your only way to sign in.")).toBeVisible();
  await checkAppearance(page, "password-none");
  await signOut(page);
  await button(page, "Sign in with a passkey").click();
  await expect(heading(page, "Projects")).toBeVisible();

  await page.goto("/account");
  await field(password, "New password").fill("a green cloak, please");
  await field(password, "Password again").fill("a green cloak, please");
  await button(password, "Confirm with your passkey").click();
  await expect(password.getByText("Confirmed with your passkey.")).toBeFocused();
  await button(password, "Set password").click();
  await expect(button(password, "Change password")).toBeVisible();
  await signOut(page);
  await signIn(page, { address: user.address, password: "a green cloak, please" });
  await expect(heading(page, "Projects")).toBeVisible();
});

test("without a password, a form first asks for the passkey", async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  await withoutSuggestions(page);
  const device = await Authenticator.addTo(page);
  await signUpByPasskey(page, env.uniqueAddress());
  await page.goto("/account");
  await button(section(page, "Delete account"), "Delete account").click();
  const dialog = page.getByRole("dialog");
  await button(dialog, "Delete my account").click();
  await expect(dialog.getByText("Confirm with your passkey first.")).toBeVisible();
  await checkAppearance(page, "passkey-confirm");
  await button(dialog, "Confirm with your passkey").click();
  await expect(dialog.getByText("Confirm with your passkey first.")).toBeHidden();
  await button(dialog, "Delete my account").click();
  await expect(page.getByText("Your account is deleted.")).toBeVisible();
  await expect.poll(() => device.passkeys()).toEqual([]);
});

test("a passkey is the second step", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  await withoutSuggestions(page);
  const { user, device } = await openAccount(page, env);
  await addPasskey(page, "Laptop");
  await env.setUpApp(user);
  await signOut(page);
  await signIn(page, user);
  await expect(heading(page, "Use your passkey")).toBeVisible();
  await expect(button(page, "Continue with your passkey")).toBeFocused();
  await checkAppearance(page, "sign-in-second-passkey");

  await device.verifiesUser(false);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert").filter({ hasText: CLOSED })).toBeVisible();
  await button(page, "Use the authenticator app").click();
  await expect(field(page, "Code")).toBeFocused();
  await button(page, "Use a passkey").click();
  await device.verifiesUser(true);
  await page.keyboard.press("Enter");
  await expect(heading(page, "Projects")).toBeVisible();
});

test("signing up by a passkey", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const taken = await env.createUser();
  const device = await Authenticator.addTo(page);
  await page.goto("/sign-up");
  await field(page, "Email address").fill("no address");
  await button(page, "Use a passkey instead of a password").click();
  await expect(field(page, "Email address")).toHaveValue("no address");
  await button(page, "Sign up with a passkey").click();
  await expectFieldError(field(page, "Email address"), "is invalid");
  await checkAppearance(page, "sign-up-passkey");
  await field(page, "Email address").fill(taken.address);
  await button(page, "Sign up with a passkey").click();
  await expect(page.getByText("There was a problem creating your account.")).toBeVisible();

  await device.verifiesUser(false);
  await field(page, "Email address").fill(env.uniqueAddress());
  await button(page, "Sign up with a passkey").click();
  await expect(page.getByRole("alert").filter({ hasText: CLOSED })).toBeVisible();
  await device.verifiesUser(true);
  await button(page, "Sign up with a passkey").click();
  await expect(heading(page, "Projects")).toBeVisible();
});
