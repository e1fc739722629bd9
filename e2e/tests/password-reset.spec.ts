import { button, enter, expectWrong, field, heading, link, linkInPage, signIn } from "../support/page.js";
import { expect, test } from "../support/test.js";

const DEAD = "Password reset link is invalid or has expired.";

test("a forgotten password is replaced by mail, and every session ends", { tag: "@phone" }, async ({
  page,
  stage,
  device,
  watch,
}) => {
  watch.expects(401);
  const person = await stage.person();
  const elsewhere = await device();
  await enter(elsewhere, person);

  await page.goto("/sign-in");
  await linkInPage(page, "Forgot your password?").click();
  await expect(heading(page, "Forgot your password?")).toBeFocused();
  await field(page, "Email address").fill(person.address);
  await button(page, "Send the link").click();
  await expect(page.getByText("Password reset instructions sent.")).toBeVisible();

  await page.goto(await stage.link(person.address, "passwords"));
  await expect(heading(page, "Choose a new password")).toBeVisible();
  await expect(page.getByText("g…@example.com")).toBeVisible();
  // The token left the address, and a reload does not need it there.
  await expect(page).toHaveURL(`${stage.front.url}/passwords/edit`);
  await page.reload();
  await expect(field(page, "New password")).toBeVisible();

  await field(page, "New password").fill("a green cloak, please");
  await field(page, "Password again").fill("a green cloak, please");
  await button(page, "Set the password").click();
  await expect(heading(page, "Sign in")).toBeFocused();
  await expect(page.getByText("Password has been reset.")).toBeVisible();
  await signIn(page, { address: person.address, password: "a green cloak, please" });
  await expect(heading(page, "Projects")).toBeVisible();

  await link(elsewhere, "Your account").click();
  await expect(heading(elsewhere, "Sign in")).toBeVisible();
  await expect(elsewhere.getByText("Your session has ended.")).toBeVisible();
});

test("an unknown address is answered as a known one", async ({ page, stage }) => {
  await page.goto("/passwords/new");
  await field(page, "Email address").fill(stage.address());
  await button(page, "Send the link").click();
  await expect(page.getByText("Password reset instructions sent.")).toBeVisible();
});

test("a link that was used says so at once", async ({ page, stage, watch }) => {
  watch.expects(401);
  const person = await stage.person();
  await page.goto("/passwords/new");
  await field(page, "Email address").fill(person.address);
  await button(page, "Send the link").click();
  const mailed = await stage.link(person.address, "passwords");
  await page.goto(mailed);
  await field(page, "New password").fill("a green cloak, please");
  await field(page, "Password again").fill("a green cloak, please");
  await button(page, "Set the password").click();
  await expect(heading(page, "Sign in")).toBeVisible();

  await page.goto(mailed);
  await expect(page.getByRole("alert").filter({ hasText: DEAD })).toBeVisible();
  await expect(field(page, "New password")).toBeHidden();
  await linkInPage(page, "Ask for a new link").click();
  await expect(heading(page, "Forgot your password?")).toBeVisible();
});

test("a link that dies while the page is open is told at the submit", async ({ page, stage, watch }) => {
  watch.expects(401);
  const person = await stage.person();
  await page.goto("/passwords/new");
  await field(page, "Email address").fill(person.address);
  await button(page, "Send the link").click();
  await page.goto(await stage.link(person.address, "passwords"));
  await expect(field(page, "New password")).toBeVisible();
  await person.call("PUT", "/v1/user/password", {
    password_challenge: person.password,
    password: "a green cloak, please",
  });
  await field(page, "New password").fill("a blue cloak, please");
  await field(page, "Password again").fill("a blue cloak, please");
  await button(page, "Set the password").click();
  await expect(page.getByRole("alert").filter({ hasText: DEAD })).toBeVisible();
});

test("a made-up link is dead", async ({ page, watch }) => {
  watch.expects(401);
  await page.goto("/passwords/made-up/edit");
  await expect(page.getByText(DEAD)).toBeVisible();
});

test("the page without a link asks for it", async ({ page }) => {
  await page.goto("/passwords/edit");
  await expect(page.getByText("Open the link from your mail again.")).toBeVisible();
});

test("a bad new password is told at its field, and the link goes on working", async ({
  page,
  stage,
  watch,
}) => {
  watch.expects(422);
  const person = await stage.person();
  await page.goto("/passwords/new");
  await field(page, "Email address").fill(person.address);
  await button(page, "Send the link").click();
  await page.goto(await stage.link(person.address, "passwords"));
  await field(page, "New password").fill("a green cloak, please");
  await field(page, "Password again").fill("a green coat, please");
  await button(page, "Set the password").click();
  await expectWrong(field(page, "Password again"), "doesn't match");
  await field(page, "Password again").fill("a green cloak, please");
  await button(page, "Set the password").click();
  await expect(page.getByText("Password has been reset.")).toBeVisible();
});
