// The states of `appearance.spec.ts` that need other server settings.

import { checkAppearance } from "../support/appearance.js";
import { PASSWORD } from "../support/environment.js";
import { button, field, heading, signIn, signUp } from "../support/page.js";
import { expect, test } from "../support/test.js";

test.use({
  settings: {
    CLOAKROOM__REGISTRATION__CONFIRM: "required",
    CLOAKROOM__THROTTLE__ENABLED: "true",
    CLOAKROOM__THROTTLE__SIGN_IN: "2 in 10m",
  },
});
test.describe.configure({ timeout: 120_000 });

test("unconfirmed address and throttled sign-in", { tag: "@phone" }, async ({ page, env, monitor }) => {
  monitor.expectStatus(401, 403, 429);
  const address = env.uniqueAddress();
  await page.goto("/sign-up");
  await signUp(page, address);
  await expect(heading(page, "Check your mail")).toBeVisible();
  await checkAppearance(page, "sign-up-mailed");
  await page.goto("/sign-in");
  await signIn(page, { address, password: PASSWORD });
  await expect(button(page, "Send the link again")).toBeVisible();
  await checkAppearance(page, "sign-in-unconfirmed");
  await button(page, "Sign in").click();
  await field(page, "Password").fill("another");
  await expect(async () => {
    await button(page, "Sign in").click({ timeout: 500, force: true });
    await expect(page.getByText("Try again later.")).toBeVisible({ timeout: 500 });
  }).toPass();
  await checkAppearance(page, "sign-in-throttled");
});
