// The states that need another setting of the server; otherwise as `looks.spec.ts`.

import { look } from "../support/look.js";
import { button, field, heading, signIn, signUp } from "../support/page.js";
import { PASSWORD } from "../support/stage.js";
import { expect, test } from "../support/test.js";

test.use({
  settings: {
    CLOAKROOM__REGISTRATION__CONFIRM: "required",
    CLOAKROOM__THROTTLE__ENABLED: "true",
    CLOAKROOM__THROTTLE__SIGN_IN: "2 in 10m",
  },
});
test.describe.configure({ timeout: 120_000 });

test("an unconfirmed address, and too many tries", { tag: "@phone" }, async ({ page, stage, watch }) => {
  watch.expects(403, 429);
  const address = stage.address();
  await page.goto("/sign-up");
  await signUp(page, address);
  await expect(heading(page, "Look into your mail")).toBeVisible();
  await look(page, "sign-up-mailed");
  await page.goto("/sign-in");
  await signIn(page, { address, password: PASSWORD });
  await expect(button(page, "Send the link again")).toBeVisible();
  await look(page, "sign-in-unconfirmed");
  await button(page, "Sign in").click();
  await field(page, "Password").fill("another");
  await expect(async () => {
    await button(page, "Sign in").click({ timeout: 500, force: true });
    await expect(page.getByText("Try again later.")).toBeVisible({ timeout: 500 });
  }).toPass();
  await look(page, "sign-in-throttled");
});
