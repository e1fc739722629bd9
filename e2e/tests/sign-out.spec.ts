import { button, heading, link, signIn, signInAs } from "../support/page.js";
import { expect, test } from "../support/test.js";

test("sign-out ends the session and clears the history", { tag: "@phone" }, async ({
  page,
  env,
  context,
}) => {
  const user = await env.createUser();
  await user.call("POST", "/v1/projects", { title: "A cloak" });
  await signInAs(page, user);
  await expect(heading(page, "A cloak")).toBeVisible();
  await link(page, "Your account").click();
  await expect(heading(page, "Your account")).toBeVisible();
  const before = await context.cookies(env.server.url);
  expect(before).toHaveLength(1);

  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await expect(page.getByText("You are signed out.")).toBeVisible();
  expect(await context.cookies(env.server.url)).toEqual([]);

  await page.goBack();
  await expect(heading(page, "Sign in")).toBeVisible();
  await page.reload();
  await expect(heading(page, "Sign in")).toBeVisible();
  await expect(heading(page, "A cloak")).toBeHidden();

  // The session was ended on the server, not only the cookie deleted.
  await context.addCookies(before);
  const reply = await context.request.get(`${env.server.url}/v1/session`);
  expect(reply.status()).toBe(401);
  await context.clearCookies();
});

for (const transport of ["BroadcastChannel", "local storage"]) {
  test(`sign-out reaches other tabs by ${transport}`, async ({ page, env, context }) => {
    if (transport === "local storage") {
      await context.addInitScript(() => {
        Reflect.deleteProperty(window, "BroadcastChannel");
      });
    }
    const user = await env.createUser();
    await signInAs(page, user);
    const other = await context.newPage();
    await other.goto("/account");
    await expect(heading(other, "Your account")).toBeVisible();

    await button(page, "Sign out").click();
    await expect(heading(other, "Sign in")).toBeVisible();
    await expect(other.getByText("You signed out in another tab.")).toBeVisible();
    await expect(heading(other, "Your account")).toBeHidden();

    // After the next sign-in the other tab returns to its page.
    await signIn(page, user);
    await expect(heading(page, "Projects")).toBeVisible();
    await expect(heading(other, "Your account")).toBeVisible();
  });
}

test("sign-out fails while the server is unreachable", async ({ page, env, monitor }) => {
  const user = await env.createUser();
  await signInAs(page, user);
  monitor.expectMessage(/net::ERR_/);
  await env.server.pause();
  try {
    await button(page, "Sign out").click();
    await expect(page.getByRole("alert").filter({ hasText: "You are still signed in." })).toBeVisible();
  } finally {
    await env.server.restart();
  }
  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
});
