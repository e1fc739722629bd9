import { readFile } from "node:fs/promises";
import { previousTotpCode, totpCode } from "../../clients/typescript/test/totp.js";
import {
  button,
  expectFieldError,
  field,
  heading,
  linkInMain,
  section,
  signIn,
  signInAs,
  tabTo,
} from "../support/page.js";
import { expect, test } from "../support/test.js";

test("an app is set up by keyboard, and its codes sign in", { tag: "@phone" }, async ({
  page,
  env,
  monitor,
  context,
}) => {
  monitor.expectStatus(401, 422);
  const { keyboard } = page;
  const user = await env.createUser();
  await signInAs(page, user);
  await page.goto("/account");
  const methods = section(page, "Sign-in methods");
  await tabTo(page, button(methods, "Set up an authenticator app"));
  await keyboard.press("Enter");
  await expect(field(methods, "Current password")).toBeFocused();
  await keyboard.type("not this one");
  await keyboard.press("Enter");
  await expectFieldError(field(methods, "Current password"), "is incorrect");
  await expect(field(methods, "Current password")).toBeFocused();
  await field(methods, "Current password").fill(user.password);
  await keyboard.press("Enter");

  await expect(heading(page, "Scan this with your app")).toBeFocused();
  const secret = (await methods.locator("code").innerText()).replaceAll(" ", "");
  expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  await expect(linkInMain(page, "open it in an app on this device")).toHaveAttribute(
    "href",
    new RegExp(`^otpauth://totp/.*secret=${secret}`),
  );
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await tabTo(page, button(methods, "Copy key"));
  await keyboard.press("Enter");
  await expect(methods.getByText("Copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);

  await tabTo(page, field(methods, "Code"));
  await keyboard.type("000 00");
  await keyboard.press("Enter");
  await expectFieldError(field(methods, "Code"), "is incorrect");
  await field(methods, "Code").fill(await previousTotpCode(secret));
  await keyboard.press("Enter");
  await expect(heading(page, "Save your recovery codes now")).toBeFocused();
  await env.server.waitForMail(user.address, /authenticator app/);

  const codes = await methods.locator(".codes > span").allInnerTexts();
  expect(codes).toHaveLength(10);
  await tabTo(page, button(methods, "Copy"));
  await keyboard.press("Enter");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${codes.join("\n")}\n`);
  await tabTo(page, button(methods, "Download"));
  const [download] = await Promise.all([page.waitForEvent("download"), keyboard.press("Enter")]);
  expect(download.suggestedFilename()).toBe("cloakroom-recovery-codes.txt");
  expect(await readFile(await download.path(), "utf8")).toBe(`${codes.join("\n")}\n`);
  await tabTo(page, button(methods, "Done"));
  await keyboard.press("Enter");
  await expect(heading(page, "Authenticator app")).toBeFocused();
  await expect(methods.locator(".codes")).toBeHidden();
  await expect(methods.getByText("10 codes left")).toBeVisible();

  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await signIn(page, user);
  await expect(field(page, "Code")).toBeFocused();
  await keyboard.type(totpCode(secret));
  await keyboard.press("Enter");
  await expect(heading(page, "Projects")).toBeVisible();
  await page.reload();
  await expect(heading(page, "Projects")).toBeVisible();
});

test("phones offer a code from their messages", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  await env.setUpApp(user);
  await page.goto("/sign-in");
  await signIn(page, user);
  await expect(field(page, "Code")).toHaveAttribute("autocomplete", "one-time-code");
  await expect(field(page, "Code")).toHaveAttribute("inputmode", "numeric");
});

test("a wrong code can be followed by a recovery code", { tag: "@phone" }, async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  const { recoveryCodes } = await env.setUpApp(user);
  await page.goto("/account");
  await signIn(page, user);
  await expect(heading(page, "Enter your code")).toBeVisible();
  await expect(page.getByText(/^This sign-in is valid until \d\d:\d\d\.$/)).toBeVisible();
  await field(page, "Code").fill("000 00");
  await button(page, "Sign in").click();
  await expect(page.getByText("Invalid code.")).toBeVisible();
  await button(page, "Use a recovery code").click();
  await expect(page.getByText("Invalid code.")).toBeHidden();
  await expect(field(page, "Recovery code")).toBeFocused();
  await page.keyboard.type(recoveryCodes[0] ?? "");
  await page.keyboard.press("Enter");
  // The page that was asked for first.
  await expect(heading(page, "Your account")).toBeVisible();
  await expect(section(page, "Sign-in methods").getByText("9 codes left")).toBeVisible();
});

test("an expired sign-in starts again with the password", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  const { secret, recoveryCodes } = await env.setUpApp(user);
  await page.goto("/sign-in");
  await signIn(page, user);
  await expect(field(page, "Code")).toBeFocused();
  // A new password ends a pending sign-in, as ten minutes do.
  const password = "a green cloak, please";
  await user.call("PUT", "/v1/user/password", { password_challenge: user.password, password });
  await field(page, "Code").fill(totpCode(secret));
  await button(page, "Sign in").click();
  const alert = page.getByRole("alert").filter({ hasText: "This sign-in has expired. Sign in again." });
  await expect(alert).toBeFocused();
  await expect(heading(page, "Sign in")).toBeVisible();
  await signIn(page, { address: user.address, password });
  await button(page, "Use a recovery code").click();
  await field(page, "Recovery code").fill(recoveryCodes[0] ?? "");
  await button(page, "Sign in").click();
  await expect(heading(page, "Projects")).toBeVisible();
});

test("a pending sign-in is given up by a button or a reload", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  await env.setUpApp(user);
  for (const giveUp of [() => button(page, "Start over").click(), () => page.reload()]) {
    await page.goto("/sign-in");
    await signIn(page, user);
    await expect(field(page, "Code")).toBeFocused();
    await giveUp();
    await expect(heading(page, "Sign in")).toBeVisible();
    await expect(field(page, "Password")).toHaveValue("");
  }
});

test("recovery codes are replaced and the app is removed", { tag: "@phone" }, async ({
  page,
  env,
  monitor,
}) => {
  monitor.expectStatus(401, 422);
  const user = await env.createUser();
  const { secret, recoveryCodes } = await env.setUpApp(user);
  await page.goto("/sign-in");
  await signIn(page, user);
  await field(page, "Code").fill(totpCode(secret));
  await button(page, "Sign in").click();
  await expect(heading(page, "Projects")).toBeVisible();
  await page.goto("/account");
  const methods = section(page, "Sign-in methods");
  await button(methods, "New codes").click();
  const replace = page.getByRole("dialog", { name: "Make new recovery codes?" });
  await field(replace, "Current password").fill("not this one");
  await button(replace, "Make new codes").click();
  await expectFieldError(field(replace, "Current password"), "is incorrect");
  await field(replace, "Current password").fill(user.password);
  await button(replace, "Make new codes").click();
  await expect(heading(page, "Save your recovery codes now")).toBeFocused();
  const codes = await methods.locator(".codes > span").allInnerTexts();
  expect(codes).toHaveLength(10);
  expect(codes).not.toContain(recoveryCodes[0]);
  await button(methods, "Done").click();

  await button(methods, "Remove the authenticator app").click();
  const remove = page.getByRole("dialog", { name: "Remove the authenticator app?" });
  await button(remove, "Cancel").click();
  await expect(button(methods, "Remove the authenticator app")).toBeFocused();
  await button(methods, "Remove the authenticator app").click();
  await field(remove, "Current password").fill(user.password);
  await button(remove, "Remove app").click();
  await expect(methods.getByText("The authenticator app is removed.")).toBeVisible();
  await expect(heading(page, "Authenticator app")).toBeFocused();
  await expect(button(methods, "Set up an authenticator app")).toBeVisible();
  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await signIn(page, user);
  await expect(heading(page, "Projects")).toBeVisible();
});

test("a setup that took too long starts again", async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const user = await env.createUser();
  await signInAs(page, user);
  await page.goto("/account");
  const methods = section(page, "Sign-in methods");
  await button(methods, "Set up an authenticator app").click();
  await field(methods, "Current password").fill(user.password);
  await button(methods, "Continue").click();
  await expect(heading(page, "Scan this with your app")).toBeVisible();
  const secret = (await methods.locator("code").innerText()).replaceAll(" ", "");
  // Started and cancelled elsewhere: the secret on this page is void, as it is after an hour.
  await page.route(`${env.server.url}/v1/user/totp`, (route) =>
    route.fulfill({
      status: 422,
      headers: {
        "Access-Control-Allow-Origin": env.frontend.url,
        "Access-Control-Allow-Credentials": "true",
      },
      json: { error: "Start the setup of the authenticator app again", code: "totp_not_started" },
    }),
  );
  await field(methods, "Code").fill(await previousTotpCode(secret));
  await button(methods, "Finish setup").click();
  await expect(methods.getByRole("alert").filter({ hasText: "The setup has expired." })).toBeFocused();
  await button(methods, "Cancel").click();
  await expect(button(methods, "Set up an authenticator app")).toBeFocused();
});
