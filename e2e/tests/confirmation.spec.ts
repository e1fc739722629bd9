import { PASSWORD } from "../support/environment.js";
import { button, field, heading, linkInMain, signIn, signUp } from "../support/page.js";
import { expect, test } from "../support/test.js";

test.use({ settings: { CLOAKROOM__REGISTRATION__CONFIRM: "required" } });

test("sign-in requires a confirmed address", { tag: "@phone" }, async ({ page, env, monitor }) => {
  monitor.expectStatus(403);
  const address = env.uniqueAddress();
  await page.goto("/sign-up");
  await signUp(page, address);
  await expect(heading(page, "Check your mail")).toBeVisible();
  await expect(page.getByText(address)).toBeVisible();

  await linkInMain(page, "Sign in").click();
  await signIn(page, { address, password: PASSWORD });
  await expect(page.getByRole("alert").filter({ hasText: /confirm/i })).toBeVisible();

  const mailed = await env.mailedLink(address, "confirmations");
  await page.goto(mailed);
  await expect(heading(page, "Confirm your address")).toBeVisible();
  await expect(page).toHaveURL(`${env.frontend.url}/confirmations`);
  await page.reload();
  await button(page, "Confirm this address").click();
  await linkInMain(page, "Sign in").click();
  await signIn(page, { address, password: PASSWORD });
  await expect(heading(page, "Projects")).toBeVisible();
});

test("opening the link alone does not confirm", async ({ page, env, monitor }) => {
  monitor.expectStatus(403);
  const address = env.uniqueAddress();
  await page.goto("/sign-up");
  await signUp(page, address);
  await page.goto(await env.mailedLink(address, "confirmations"));
  await expect(button(page, "Confirm this address")).toBeVisible();
  await page.goto("/sign-in");
  await signIn(page, { address, password: PASSWORD });
  await expect(page.getByRole("alert").filter({ hasText: /confirm/i })).toBeVisible();
});

test("the sign-in page sends the confirmation mail again", async ({ page, env, monitor }) => {
  monitor.expectStatus(403);
  const address = env.uniqueAddress();
  await page.goto("/sign-up");
  await signUp(page, address);
  await expect(heading(page, "Check your mail")).toBeVisible();
  await env.mailedLink(address, "confirmations");
  const before = (await env.mailsTo(address)).length;

  await page.goto("/sign-in");
  await signIn(page, { address, password: PASSWORD });
  await button(page, "Send the link again").click();
  await expect.poll(async () => (await env.mailsTo(address)).length).toBeGreaterThan(before);
});

test("an invalid link offers to send another", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const address = env.uniqueAddress();
  await page.goto("/sign-up");
  await signUp(page, address);
  const mailed = await env.mailedLink(address, "confirmations");
  await page.goto(mailed);
  await button(page, "Confirm this address").click();
  await expect(linkInMain(page, "Sign in")).toBeVisible();

  await page.goto("/confirmations#made-up");
  await button(page, "Confirm this address").click();
  await expect(page.getByRole("alert").filter({ hasText: /link is invalid or has expired/ })).toBeVisible();
  await field(page, "Email address").fill(address);
  await button(page, "Send the link").click();
  await expect(page.getByRole("status").filter({ hasText: /sent/ })).toBeVisible();
});
