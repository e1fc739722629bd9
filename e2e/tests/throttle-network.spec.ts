import { button, field, signIn } from "../support/page.js";
import { expect, test } from "../support/test.js";

test.use({
  settings: { CLOAKROOM__THROTTLE__ENABLED: "true", CLOAKROOM__THROTTLE__SIGN_IN: "2 in 10m" },
});

test("too many attempts disable the button until retry", { tag: "@phone" }, async ({
  page,
  env,
  monitor,
}) => {
  monitor.expectStatus(401, 429);
  await page.clock.install();
  await page.goto("/sign-in");
  const wrongCredentials = { address: env.uniqueAddress(), password: "not this one" };
  const submit = button(page, "Sign in");
  const alert = page.getByRole("alert").filter({ hasText: "Try again later." });
  await expect(async () => {
    await signIn(page, wrongCredentials);
    await expect(alert).toBeVisible({ timeout: 500 });
  }).toPass();
  await expect(alert).toBeFocused();
  await expect(submit).toBeDisabled();
  await expect(alert).toContainText(/You can try again in \d+ minutes\./);
  const shown = page.locator(".countdown [aria-hidden]");
  await expect(shown).toHaveText(/Try again in (10:00|9:5\d)/);

  // Neither a click nor Enter submits during the wait; the page renews its options for suggested passkeys.
  const sent: string[] = [];
  page.on("request", (request) => {
    const suggests = request.url().endsWith("/v1/session/passkey/options");
    if (request.method() === "POST" && !suggests) sent.push(request.url());
  });
  await submit.click({ force: true });
  await field(page, "Password").press("Enter");
  await page.clock.fastForward("08:55");
  await expect(shown).toHaveText(/Try again in 1:0\d|Try again in 0:5\d/);
  await expect(submit).toBeDisabled();
  expect(sent).toEqual([]);

  await page.clock.fastForward("02:00");
  await expect(page.getByText("You can try again now.")).toBeVisible();
  await expect(alert).toBeHidden();
  await expect(submit).toBeEnabled();
  await submit.click();
  await expect.poll(() => sent).toHaveLength(1);
});
