import { button, enter, heading, link, signIn } from "../support/page.js";
import { expect, test } from "../support/test.js";

test("signing out ends the session, and going back shows nothing", { tag: "@phone" }, async ({
  page,
  stage,
  context,
}) => {
  const person = await stage.person();
  await person.call("POST", "/v1/projects", { title: "A cloak" });
  await enter(page, person);
  await expect(heading(page, "A cloak")).toBeVisible();
  await link(page, "Your account").click();
  await expect(heading(page, "Your account")).toBeVisible();
  const before = await context.cookies(stage.house.url);
  expect(before).toHaveLength(1);

  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await expect(page.getByText("You are signed out.")).toBeVisible();
  expect(await context.cookies(stage.house.url)).toEqual([]);

  await page.goBack();
  await expect(heading(page, "Sign in")).toBeVisible();
  await page.reload();
  await expect(heading(page, "Sign in")).toBeVisible();
  await expect(heading(page, "A cloak")).toBeHidden();

  // The cookie's token is dead, not only gone.
  await context.addCookies(before);
  const reply = await context.request.get(`${stage.house.url}/v1/session`);
  expect(reply.status()).toBe(401);
  await context.clearCookies();
});

for (const means of ["BroadcastChannel", "local storage"]) {
  test(`signing out in one tab signs out the other, by ${means}`, async ({ page, stage, context }) => {
    if (means === "local storage") {
      await context.addInitScript(() => {
        Reflect.deleteProperty(window, "BroadcastChannel");
      });
    }
    const person = await stage.person();
    await enter(page, person);
    const other = await context.newPage();
    await other.goto("/account");
    await expect(heading(other, "Your account")).toBeVisible();

    await button(page, "Sign out").click();
    await expect(heading(other, "Sign in")).toBeVisible();
    await expect(other.getByText("You signed out in another tab.")).toBeVisible();
    await expect(heading(other, "Your account")).toBeHidden();

    // And in again: the other tab is back where it was.
    await signIn(page, person);
    await expect(heading(page, "Projects")).toBeVisible();
    await expect(heading(other, "Your account")).toBeVisible();
  });
}

test("a sign-out that the server did not hear of is no sign-out", async ({ page, stage, watch }) => {
  const person = await stage.person();
  await enter(page, person);
  watch.allow(/net::ERR_/);
  await stage.house.pause();
  try {
    await button(page, "Sign out").click();
    await expect(page.getByRole("alert").filter({ hasText: "You are still signed in." })).toBeVisible();
  } finally {
    await stage.house.restart();
  }
  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
});
