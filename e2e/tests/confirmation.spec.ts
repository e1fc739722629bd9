import { button, field, heading, linkInPage, signIn, signUp } from "../support/page.js";
import { PASSWORD } from "../support/stage.js";
import { expect, test } from "../support/test.js";

test.use({ settings: { CLOAKROOM__REGISTRATION__CONFIRM: "required" } });

test("an address is confirmed before the first session", { tag: "@phone" }, async ({
  page,
  stage,
  watch,
}) => {
  watch.expects(403);
  const address = stage.address();
  await page.goto("/sign-up");
  await signUp(page, address);
  await expect(heading(page, "Look into your mail")).toBeVisible();
  await expect(page.getByText(address)).toBeVisible();

  await linkInPage(page, "Sign in").click();
  await signIn(page, { address, password: PASSWORD });
  await expect(page.getByRole("alert").filter({ hasText: /confirm/i })).toBeVisible();

  const mailed = await stage.link(address, "confirmations");
  await page.goto(mailed);
  await expect(heading(page, "Confirm your address")).toBeVisible();
  await expect(page).toHaveURL(`${stage.front.url}/confirmations`);
  await page.reload();
  await button(page, "Confirm this address").click();
  await linkInPage(page, "Sign in").click();
  await signIn(page, { address, password: PASSWORD });
  await expect(heading(page, "Projects")).toBeVisible();
});

test("opening the link alone confirms nothing", async ({ page, stage, watch }) => {
  watch.expects(403);
  const address = stage.address();
  await page.goto("/sign-up");
  await signUp(page, address);
  await page.goto(await stage.link(address, "confirmations"));
  await expect(button(page, "Confirm this address")).toBeVisible();
  await page.goto("/sign-in");
  await signIn(page, { address, password: PASSWORD });
  await expect(page.getByRole("alert").filter({ hasText: /confirm/i })).toBeVisible();
});

test("who lost the mail is sent another from the sign-in page", async ({ page, stage, watch }) => {
  watch.expects(403);
  const address = stage.address();
  await page.goto("/sign-up");
  await signUp(page, address);
  await expect(heading(page, "Look into your mail")).toBeVisible();
  await stage.link(address, "confirmations");
  const before = (await stage.mails(address)).length;

  await page.goto("/sign-in");
  await signIn(page, { address, password: PASSWORD });
  await button(page, "Send the link again").click();
  await expect.poll(async () => (await stage.mails(address)).length).toBeGreaterThan(before);
});

test("a dead link offers another", async ({ page, stage, watch }) => {
  watch.expects(401);
  const address = stage.address();
  await page.goto("/sign-up");
  await signUp(page, address);
  const mailed = await stage.link(address, "confirmations");
  await page.goto(mailed);
  await button(page, "Confirm this address").click();
  await expect(linkInPage(page, "Sign in")).toBeVisible();

  await page.goto("/confirmations/made-up");
  await button(page, "Confirm this address").click();
  await expect(page.getByRole("alert").filter({ hasText: /link is invalid or has expired/ })).toBeVisible();
  await field(page, "Email address").fill(address);
  await button(page, "Send the link").click();
  await expect(page.getByRole("status").filter({ hasText: /sent/ })).toBeVisible();
});
