import { previousTotpCode } from "../../clients/typescript/test/totp.js";
import { button, field, heading, linkInMain, section, signIn, signInAs } from "../support/page.js";
import { expect, test } from "../support/test.js";

test.use({ settings: { CLOAKROOM__SECOND_FACTOR__REQUIRED: "all" } });

test("the account page says until when a second factor is due", { tag: "@phone" }, async ({ page, env }) => {
  const user = await env.createUser();
  await signInAs(page, user);
  await page.goto("/account");
  const notice = page.getByText("Your account needs a second factor.");
  await expect(notice.locator("time")).toHaveText(/^\d{1,2} \w+ \d{4}, \d\d:\d\d$/);
  await linkInMain(page, "Set up an authenticator app").click();
  const methods = section(page, "Sign-in methods");
  await expect(methods).toBeInViewport();
  await button(methods, "Set up an authenticator app").click();
  await field(methods, "Current password").fill(user.password);
  await button(methods, "Continue").click();
  await expect(heading(page, "Scan this with your app")).toBeVisible();
  const secret = (await methods.locator("code").innerText()).replaceAll(" ", "");
  await field(methods, "Code").fill(await previousTotpCode(secret));
  await button(methods, "Finish setup").click();
  await expect(heading(page, "Save your recovery codes now")).toBeFocused();
  await expect(notice).toBeHidden();
  await button(methods, "Done").click();
  await button(methods, "Remove the authenticator app").click();
  const remove = page.getByRole("dialog", { name: "Remove the authenticator app?" });
  await field(remove, "Current password").fill(user.password);
  await button(remove, "Remove app").click();
  await expect(methods.getByText("The authenticator app is removed. Set up another.")).toBeVisible();
  await expect(notice).toBeVisible();
});

test("after the grace the sign-in page leads to a reset", { tag: "@phone" }, async ({
  page,
  env,
  monitor,
}) => {
  monitor.expectStatus(403);
  const user = await env.createUser();
  await page.goto("/sign-in");
  const error = "The time to set up a second factor is over. Reset your password to sign in and set one up.";
  await page.route(`${env.server.url}/v1/session`, (route) =>
    route.fulfill({
      status: 403,
      headers: {
        "Access-Control-Allow-Origin": env.frontend.url,
        "Access-Control-Allow-Credentials": "true",
      },
      json: { error, code: "second_factor_enrolment_required" },
    }),
  );
  await signIn(page, user);
  await expect(page.getByRole("alert").filter({ hasText: error })).toBeFocused();
  await linkInMain(page, "Reset your password").click();
  await expect(heading(page, "Forgot your password?")).toBeVisible();
});
