// Every page in every state: accessible by axe, no horizontal overflow, one screenshot each.

import { previousTotpCode } from "../../clients/typescript/test/totp.js";
import { checkAppearance } from "../support/appearance.js";
import {
  addProject,
  button,
  expectFieldError,
  field,
  heading,
  link,
  section,
  signIn,
  signInAs,
  signUp,
} from "../support/page.js";
import { expect, test } from "../support/test.js";

// Two axe runs for each state take time.
test.describe.configure({ timeout: 120_000 });
const tag = "@phone";

test("sign-in and sign-up", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(401, 422);
  await page.goto("/sign-in");
  await expect(heading(page, "Sign in")).toBeVisible();
  await checkAppearance(page, "sign-in");
  await signIn(page, { address: env.uniqueAddress(), password: "not this one" });
  await expect(page.getByText("Invalid email address or password.")).toBeVisible();
  await checkAppearance(page, "sign-in-failed");

  await page.goto("/sign-up");
  await expect(heading(page, "Sign up")).toBeVisible();
  await checkAppearance(page, "sign-up");
  await signUp(page, "no address", "short");
  await expectFieldError(field(page, "Password"), "is too short");
  await checkAppearance(page, "sign-up-errors");
});

test("password reset", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(401, 422);
  await page.goto("/passwords/edit");
  await expect(page.getByText("Open the link from your mail again.")).toBeVisible();
  await checkAppearance(page, "reset-without-link");
  const user = await env.createUser();
  await page.goto("/passwords/new");
  await expect(heading(page, "Forgot your password?")).toBeVisible();
  await checkAppearance(page, "forgot-password");
  await field(page, "Email address").fill(user.address);
  await button(page, "Send the link").click();
  await expect(page.getByText("Password reset instructions sent.")).toBeVisible();
  await checkAppearance(page, "forgot-password-sent");

  await page.goto(await env.mailedLink(user.address, "passwords"));
  await expect(field(page, "New password")).toBeVisible();
  await checkAppearance(page, "reset");
  await field(page, "New password").fill("short");
  await field(page, "Password again").fill("other");
  await button(page, "Set the password").click();
  await expectFieldError(field(page, "New password"), "is too short");
  await checkAppearance(page, "reset-errors");
  await page.goto("/passwords/edit#made-up");
  await expect(page.getByText("Password reset link is invalid or has expired.")).toBeVisible();
  await checkAppearance(page, "reset-invalid");
});

test("confirmation and unlock links", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  await user.call("POST", "/v1/confirmations", { email_address: user.address });
  await page.goto(await env.mailedLink(user.address, "confirmations"));
  await expect(heading(page, "Confirm your address")).toBeVisible();
  await checkAppearance(page, "confirm");
  await button(page, "Confirm this address").click();
  await expect(page.getByRole("main").getByRole("link", { name: "Sign in" })).toBeVisible();
  await checkAppearance(page, "confirm-done");
  await page.goto("/confirmations#made-up");
  await button(page, "Confirm this address").click();
  await expect(button(page, "Send the link")).toBeVisible();
  await checkAppearance(page, "confirm-invalid");

  await page.goto("/unlocks#made-up");
  await expect(button(page, "Open sign-in")).toBeVisible();
  await checkAppearance(page, "unlock");
  await button(page, "Open sign-in").click();
  await expect(page.getByRole("link", { name: "Choose a new password" })).toBeVisible();
  await checkAppearance(page, "unlock-invalid");

  await page.goto("/nowhere");
  await expect(heading(page, "Page not found")).toBeVisible();
  await checkAppearance(page, "not-found");
});

test("projects", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const user = await env.createUser();
  await signInAs(page, user);
  await expect(heading(page, "No projects yet")).toBeVisible();
  await checkAppearance(page, "projects-empty");
  await button(page, "New project").click();
  await button(page, "Save").click();
  await expectFieldError(field(page, "Title"), "can't be blank");
  await checkAppearance(page, "projects-new-errors");
  await page.keyboard.press("Escape");
  await addProject(page, "A cloak", "Black, with a hood.\nThe left sleeve is a little worn.");
  await addProject(
    page,
    "A coat whose name is so long that it needs a second line on most screens, and a third",
  );
  await addProject(page, "Umbrella".repeat(20), "x".repeat(300));
  await checkAppearance(page, "projects");
  await button(page, "Edit A cloak").click();
  await expect(field(page, "Title")).toBeFocused();
  await checkAppearance(page, "projects-edit");
  await button(page, "Cancel").click();
  await button(page, "Delete A cloak").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await checkAppearance(page, "projects-delete");
});

test("account", { tag }, async ({ page, env, newDevice, monitor }) => {
  monitor.expectStatus(422);
  const user = await env.createUser();
  await signInAs(await newDevice(), user);
  await signInAs(page, user);
  await link(page, "Your account").click();
  await expect(section(page, "Devices").getByText("This device")).toBeVisible();
  await expect(button(page, "New API key")).toBeVisible();
  await checkAppearance(page, "account");
  const form = section(page, "Password");
  await field(form, "Current password").fill("not this one");
  await field(form, "New password").fill("short");
  await button(form, "Change password").click();
  await expectFieldError(field(form, "New password"), "is too short");
  await checkAppearance(page, "account-errors");
  await button(section(page, "Devices"), "End all others").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await checkAppearance(page, "account-end-others");
  await page.keyboard.press("Escape");
  await button(section(page, "Delete account"), "Delete account").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await checkAppearance(page, "account-delete");
});

test("second factors", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(401, 422);
  const user = await env.createUser();
  await signInAs(page, user);
  await link(page, "Your account").click();
  const methods = section(page, "Sign-in methods");
  await button(methods, "Set up an authenticator app").click();
  await field(methods, "Current password").fill("not this one");
  await button(methods, "Continue").click();
  await expectFieldError(field(methods, "Current password"), "is incorrect");
  await checkAppearance(page, "factors-password");
  await field(methods, "Current password").fill(user.password);
  await button(methods, "Continue").click();
  await expect(methods.getByRole("img", { name: "QR code of the key" })).toBeVisible();
  const secret = (await methods.locator("code").innerText()).replaceAll(" ", "");
  await field(methods, "Code").fill("000 00");
  await button(methods, "Finish setup").click();
  await expectFieldError(field(methods, "Code"), "is incorrect");
  await checkAppearance(page, "factors-set-up");
  await field(methods, "Code").fill(await previousTotpCode(secret));
  await button(methods, "Finish setup").click();
  await expect(heading(page, "Save your recovery codes now")).toBeFocused();
  await expect(methods.getByText("10 codes left")).toBeVisible();
  await checkAppearance(page, "factors-codes");
  await button(methods, "Done").click();
  await checkAppearance(page, "factors");
  await button(methods, "New codes").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await checkAppearance(page, "factors-replace");
  await page.keyboard.press("Escape");
  await button(methods, "Remove the authenticator app").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await checkAppearance(page, "factors-remove");
  await page.keyboard.press("Escape");

  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await signIn(page, user);
  await expect(field(page, "Code")).toBeFocused();
  await checkAppearance(page, "sign-in-code");
  await field(page, "Code").fill("000 00");
  await button(page, "Sign in").click();
  await expect(page.getByText("Invalid code.")).toBeVisible();
  await checkAppearance(page, "sign-in-code-failed");
  await button(page, "Use a recovery code").click();
  await expect(field(page, "Recovery code")).toBeFocused();
  await checkAppearance(page, "sign-in-recovery-code");
});

test("API keys", { tag }, async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const user = await env.createUser();
  await signInAs(page, user);
  await link(page, "Your account").click();
  const keys = section(page, "API keys");
  await button(keys, "New API key").click();
  await expect(field(keys, "Name")).toBeFocused();
  await button(keys, "Create key").click();
  await expectFieldError(field(keys, "Name"), "can't be blank");
  await checkAppearance(page, "keys-new-errors");
  await field(keys, "Name").fill("Door machine");
  await keys.getByLabel("Read projects").check();
  await field(keys, "Current password").fill(user.password);
  await button(keys, "Create key").click();
  const secret = keys.locator("code").filter({ hasText: /^crk_/ }).first();
  await expect(secret).toBeVisible();
  // Keeps the key out of the screenshot.
  await secret.evaluate((element) => {
    element.textContent = `crk_${"0".repeat(38)}`;
  });
  await checkAppearance(page, "keys-shown-once");
  await button(keys, "Done").click();
  await button(keys, "Rename Door machine").click();
  await expect(field(keys, "Name")).toBeFocused();
  await checkAppearance(page, "keys-rename");
  await button(keys, "Cancel").click();
  await button(keys, "Revoke Door machine").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await checkAppearance(page, "keys-revoke");
  await button(page.getByRole("dialog"), "Revoke key").click();
  await expect(keys.getByText("Revoked", { exact: true })).toBeVisible();
  await checkAppearance(page, "keys");
});

test("offline, unreachable and expired", { tag }, async ({ page, env, context, monitor }) => {
  monitor.expectStatus(401);
  monitor.expectMessage(/net::ERR_/);
  const user = await env.createUser();
  await signInAs(page, user);
  await addProject(page, "A cloak");
  await button(page, "New project").click();
  await field(page, "Title").fill("A hat");
  await context.setOffline(true);
  await button(page, "Save").click();
  await expect(page.getByRole("alert").filter({ hasText: "You are offline." })).toBeVisible();
  await checkAppearance(page, "offline");
  await context.setOffline(false);

  await env.server.pause();
  try {
    await page.reload();
    await expect(heading(page, "Cannot reach the server")).toBeVisible();
    await checkAppearance(page, "unreachable");
  } finally {
    await env.server.restart();
  }
  await user.call("DELETE", "/v1/sessions?except=current");
  await button(page, "Try again").click();
  await expect(page.getByText("Your session has ended. Sign in to continue.")).toBeVisible();
  await checkAppearance(page, "sign-in-expired");
});

test("loading projects", { tag }, async ({ page, env }) => {
  const user = await env.createUser();
  await signInAs(page, user);
  let respond = () => {};
  const mayRespond = new Promise<void>((resolve) => {
    respond = resolve;
  });
  await page.route(`${env.server.url}/v1/projects?*`, async (route) => {
    await mayRespond;
    await route.continue();
  });
  await page.reload();
  await expect(page.getByRole("status").filter({ hasText: "Loading" })).toBeVisible();
  await checkAppearance(page, "projects-loading");
  respond();
  await expect(heading(page, "No projects yet")).toBeVisible();
});
