import { button, heading, linkInPage, signIn } from "../support/page.js";
import { expect, test } from "../support/test.js";

test.use({
  settings: {
    CLOAKROOM__THROTTLE__ENABLED: "true",
    CLOAKROOM__THROTTLE__SIGN_IN: "1000 in 3m",
    CLOAKROOM__THROTTLE__SIGN_UP: "1000 in 3m",
    CLOAKROOM__THROTTLE__ADDRESS_FAILURES: "3 in 1h",
  },
});

test("the last try but one is told, and the mailed link opens sign-in again", async ({
  page,
  stage,
  watch,
}) => {
  watch.expects(401, 429);
  const person = await stage.person();
  const alert = page.getByRole("alert").filter({ hasText: /./ });
  await page.goto("/sign-in");
  const fail = async (text: RegExp) => {
    await signIn(page, { ...person, password: "not this one" });
    await expect(alert).toHaveText(text);
  };
  await fail(/^Invalid email address or password\.$/);
  await fail(/One more failed attempt closes sign-in to this address for a while\./);
  await fail(/./);
  await page.reload();
  await signIn(page, person);
  await expect(alert).toContainText("Try again later.");

  await page.goto(await stage.link(person.address, "unlocks"));
  await expect(heading(page, "Open sign-in again")).toBeVisible();
  await expect(page).toHaveURL(`${stage.front.url}/unlocks`);
  await button(page, "Open sign-in").click();
  await linkInPage(page, "Sign in").click();
  await signIn(page, person);
  await expect(heading(page, "Projects")).toBeVisible();
});

test("a dead link to open sign-in shows another way", async ({ page, watch }) => {
  watch.expects(401);
  await page.goto("/unlocks/made-up");
  await button(page, "Open sign-in").click();
  await expect(page.getByRole("alert").filter({ hasText: /invalid or has expired/ })).toBeVisible();
  await expect(page.getByRole("link", { name: "Choose a new password" })).toBeVisible();
});
