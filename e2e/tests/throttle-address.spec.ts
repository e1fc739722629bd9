import { button, heading, linkInMain, signIn } from "../support/page.js";
import { expect, test } from "../support/test.js";

test.use({
  settings: {
    CLOAKROOM__THROTTLE__ENABLED: "true",
    CLOAKROOM__THROTTLE__SIGN_IN: "1000 in 3m",
    CLOAKROOM__THROTTLE__SIGN_UP: "1000 in 3m",
    CLOAKROOM__THROTTLE__ADDRESS_FAILURES: "3 in 1h",
  },
});

test("warns before the last attempt; the mailed link unlocks", async ({ page, env, monitor }) => {
  monitor.expectStatus(401, 429);
  const user = await env.createUser();
  const alert = page.getByRole("alert").filter({ hasText: /./ });
  await page.goto("/sign-in");
  const fail = async (text: RegExp) => {
    await signIn(page, { ...user, password: "not this one" });
    await expect(alert).toHaveText(text);
  };
  await fail(/^Invalid email address or password\.$/);
  await fail(/One more failed attempt closes sign-in to this address for a while\./);
  await fail(/./);
  await page.reload();
  await signIn(page, user);
  await expect(alert).toContainText("Try again later.");

  await page.goto(await env.mailedLink(user.address, "unlocks"));
  await expect(heading(page, "Open sign-in again")).toBeVisible();
  await expect(page).toHaveURL(`${env.frontend.url}/unlocks`);
  await button(page, "Open sign-in").click();
  await linkInMain(page, "Sign in").click();
  await signIn(page, user);
  await expect(heading(page, "Projects")).toBeVisible();
});

test("an invalid unlock link offers a password reset", async ({ page, monitor }) => {
  monitor.expectStatus(401);
  await page.goto("/unlocks#made-up");
  await button(page, "Open sign-in").click();
  await expect(page.getByRole("alert").filter({ hasText: /invalid or has expired/ })).toBeVisible();
  await expect(page.getByRole("link", { name: "Choose a new password" })).toBeVisible();
});
