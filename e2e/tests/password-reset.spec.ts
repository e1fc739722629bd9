import {
  button,
  expectFieldError,
  field,
  heading,
  link,
  linkInMain,
  signIn,
  signInAs,
} from "../support/page.js";
import { expect, test } from "../support/test.js";

const INVALID_LINK = "Password reset link is invalid or has expired.";

test("resets the password by mail and ends every session", { tag: "@phone" }, async ({
  page,
  env,
  newDevice,
  monitor,
}) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  const elsewhere = await newDevice();
  await signInAs(elsewhere, user);

  await page.goto("/sign-in");
  await linkInMain(page, "Forgot your password?").click();
  await expect(heading(page, "Forgot your password?")).toBeFocused();
  await field(page, "Email address").fill(user.address);
  await button(page, "Send the link").click();
  await expect(page.getByText("Password reset instructions sent.")).toBeVisible();

  await page.goto(await env.mailedLink(user.address, "passwords"));
  await expect(heading(page, "Choose a new password")).toBeVisible();
  await expect(page.getByText("u…@example.com")).toBeVisible();
  // The token is no longer in the URL; a reload works without it there.
  await expect(page).toHaveURL(`${env.frontend.url}/passwords/edit`);
  await page.reload();
  await expect(field(page, "New password")).toBeVisible();

  await field(page, "New password").fill("a green cloak, please");
  await field(page, "Password again").fill("a green cloak, please");
  await button(page, "Set the password").click();
  await expect(heading(page, "Sign in")).toBeFocused();
  await expect(page.getByText("Password has been reset.")).toBeVisible();
  await signIn(page, { address: user.address, password: "a green cloak, please" });
  await expect(heading(page, "Projects")).toBeVisible();

  await link(elsewhere, "Your account").click();
  await expect(heading(elsewhere, "Sign in")).toBeVisible();
  await expect(elsewhere.getByText("Your session has ended.")).toBeVisible();
});

test("an unknown address gets the same response", async ({ page, env }) => {
  await page.goto("/passwords/new");
  await field(page, "Email address").fill(env.uniqueAddress());
  await button(page, "Send the link").click();
  await expect(page.getByText("Password reset instructions sent.")).toBeVisible();
});

test("a used link is reported before the form is shown", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  await page.goto("/passwords/new");
  await field(page, "Email address").fill(user.address);
  await button(page, "Send the link").click();
  const mailed = await env.mailedLink(user.address, "passwords");
  await page.goto(mailed);
  await field(page, "New password").fill("a green cloak, please");
  await field(page, "Password again").fill("a green cloak, please");
  await button(page, "Set the password").click();
  await expect(heading(page, "Sign in")).toBeVisible();

  await page.goto(mailed);
  await expect(page.getByRole("alert").filter({ hasText: INVALID_LINK })).toBeVisible();
  await expect(field(page, "New password")).toBeHidden();
  await linkInMain(page, "Request a new link").click();
  await expect(heading(page, "Forgot your password?")).toBeVisible();
});

test("a link that expires in an open page fails on submit", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  await page.goto("/passwords/new");
  await field(page, "Email address").fill(user.address);
  await button(page, "Send the link").click();
  await page.goto(await env.mailedLink(user.address, "passwords"));
  await expect(field(page, "New password")).toBeVisible();
  await user.call("PUT", "/v1/user/password", {
    password_challenge: user.password,
    password: "a green cloak, please",
  });
  await field(page, "New password").fill("a blue cloak, please");
  await field(page, "Password again").fill("a blue cloak, please");
  await button(page, "Set the password").click();
  await expect(page.getByRole("alert").filter({ hasText: INVALID_LINK })).toBeVisible();
});

for (const link of ["/passwords/edit#made-up", "/passwords/made-up/edit"]) {
  test(`a forged link is invalid: ${link}`, async ({ page, env, monitor }) => {
    monitor.expectStatus(401);
    await page.goto(link);
    await expect(page.getByText(INVALID_LINK)).toBeVisible();
    await expect(page).toHaveURL(`${env.frontend.url}/passwords/edit`);
  });
}

test("without a link the page asks for it", async ({ page }) => {
  await page.goto("/passwords/edit");
  await expect(page.getByText("Open the link from your mail again.")).toBeVisible();
});

test("an invalid new password leaves the link valid", async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const user = await env.createUser();
  await page.goto("/passwords/new");
  await field(page, "Email address").fill(user.address);
  await button(page, "Send the link").click();
  await page.goto(await env.mailedLink(user.address, "passwords"));
  await field(page, "New password").fill("a green cloak, please");
  await field(page, "Password again").fill("a green coat, please");
  await button(page, "Set the password").click();
  await expectFieldError(field(page, "Password again"), "doesn't match");
  await field(page, "Password again").fill("a green cloak, please");
  await button(page, "Set the password").click();
  await expect(page.getByText("Password has been reset.")).toBeVisible();
});
