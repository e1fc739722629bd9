// Every page in every state: axe finds nothing, nothing goes sideways, and a picture of each is kept.

import { look } from "../support/look.js";
import {
  addProject,
  button,
  enter,
  expectWrong,
  field,
  heading,
  link,
  section,
  signIn,
  signUp,
} from "../support/page.js";
import { expect, test } from "../support/test.js";

// Two looks a state, and axe takes its time.
test.describe.configure({ timeout: 120_000 });
const tag = "@phone";

test("sign-in", { tag }, async ({ page, stage, watch }) => {
  watch.expects(401, 422);
  await page.goto("/sign-in");
  await expect(heading(page, "Sign in")).toBeVisible();
  await look(page, "sign-in");
  await signIn(page, { address: stage.address(), password: "not this one" });
  await expect(page.getByText("Invalid email address or password.")).toBeVisible();
  await look(page, "sign-in-refused");

  await page.goto("/sign-up");
  await expect(heading(page, "Sign up")).toBeVisible();
  await look(page, "sign-up");
  await signUp(page, "no address", "short");
  await expectWrong(field(page, "Password"), "is too short");
  await look(page, "sign-up-wrong");
});

test("a forgotten password", { tag }, async ({ page, stage, watch }) => {
  watch.expects(401, 422);
  await page.goto("/passwords/edit");
  await expect(page.getByText("Open the link from your mail again.")).toBeVisible();
  await look(page, "reset-without-link");
  const person = await stage.person();
  await page.goto("/passwords/new");
  await expect(heading(page, "Forgot your password?")).toBeVisible();
  await look(page, "forgotten");
  await field(page, "Email address").fill(person.address);
  await button(page, "Send the link").click();
  await expect(page.getByText("Password reset instructions sent.")).toBeVisible();
  await look(page, "forgotten-sent");

  await page.goto(await stage.link(person.address, "passwords"));
  await expect(field(page, "New password")).toBeVisible();
  await look(page, "reset");
  await field(page, "New password").fill("short");
  await field(page, "Password again").fill("other");
  await button(page, "Set the password").click();
  await expectWrong(field(page, "New password"), "is too short");
  await look(page, "reset-wrong");
  await page.goto("/passwords/made-up/edit");
  await expect(page.getByText("Password reset link is invalid or has expired.")).toBeVisible();
  await look(page, "reset-dead");
});

test("links", { tag }, async ({ page, stage, watch }) => {
  watch.expects(401);
  const person = await stage.person();
  await person.call("POST", "/v1/confirmations", { email_address: person.address });
  await page.goto(await stage.link(person.address, "confirmations"));
  await expect(heading(page, "Confirm your address")).toBeVisible();
  await look(page, "confirm");
  await button(page, "Confirm this address").click();
  await expect(page.getByRole("main").getByRole("link", { name: "Sign in" })).toBeVisible();
  await look(page, "confirm-done");
  await page.goto("/confirmations/made-up");
  await button(page, "Confirm this address").click();
  await expect(button(page, "Send the link")).toBeVisible();
  await look(page, "confirm-dead");

  await page.goto("/unlocks/made-up");
  await expect(button(page, "Open sign-in")).toBeVisible();
  await look(page, "unlock");
  await button(page, "Open sign-in").click();
  await expect(page.getByRole("link", { name: "Choose a new password" })).toBeVisible();
  await look(page, "unlock-dead");

  await page.goto("/nowhere");
  await expect(heading(page, "There is nothing here")).toBeVisible();
  await look(page, "not-found");
});

test("projects", { tag }, async ({ page, stage, watch }) => {
  watch.expects(422);
  const person = await stage.person();
  await enter(page, person);
  await expect(heading(page, "No projects yet")).toBeVisible();
  await look(page, "projects-empty");
  await button(page, "New project").click();
  await button(page, "Save").click();
  await expectWrong(field(page, "Title"), "can't be blank");
  await look(page, "projects-new-wrong");
  await page.keyboard.press("Escape");
  await addProject(page, "A cloak", "Black, with a hood.\nThe left sleeve is a little worn.");
  await addProject(
    page,
    "A coat whose name is so long that it needs a second line on most screens, and a third",
  );
  await addProject(page, "Umbrella".repeat(20), "x".repeat(300));
  await look(page, "projects");
  await button(page, "Edit A cloak").click();
  await expect(field(page, "Title")).toBeFocused();
  await look(page, "projects-edit");
  await button(page, "Cancel").click();
  await button(page, "Delete A cloak").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await look(page, "projects-delete");
});

test("the account", { tag }, async ({ page, stage, device, watch }) => {
  watch.expects(422);
  const person = await stage.person();
  await enter(await device(), person);
  await enter(page, person);
  await link(page, "Your account").click();
  await expect(section(page, "Devices").getByText("This device")).toBeVisible();
  await expect(button(page, "New API key")).toBeVisible();
  await look(page, "account");
  const form = section(page, "Password");
  await field(form, "Current password").fill("not this one");
  await field(form, "New password").fill("short");
  await button(form, "Change password").click();
  await expectWrong(field(form, "New password"), "is too short");
  await look(page, "account-wrong");
  await button(section(page, "Devices"), "End all others").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await look(page, "account-end-others");
  await page.keyboard.press("Escape");
  await button(section(page, "Delete account"), "Delete account").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await look(page, "account-delete");
});

test("API keys", { tag }, async ({ page, stage, watch }) => {
  watch.expects(422);
  await enter(page, await stage.person());
  await link(page, "Your account").click();
  const keys = section(page, "API keys");
  await button(keys, "New API key").click();
  await expect(field(keys, "Name")).toBeFocused();
  await button(keys, "Make the key").click();
  await expectWrong(field(keys, "Name"), "can't be blank");
  await look(page, "keys-new-wrong");
  await field(keys, "Name").fill("The machine at the door");
  await keys.getByLabel("Read projects").check();
  await button(keys, "Make the key").click();
  const secret = keys.locator("code").filter({ hasText: /^crk_/ }).first();
  await expect(secret).toBeVisible();
  // No picture of a key is kept.
  await secret.evaluate((element) => {
    element.textContent = `crk_${"0".repeat(38)}`;
  });
  await look(page, "keys-shown-once");
  await button(keys, "I have it").click();
  await button(keys, "Rename The machine at the door").click();
  await expect(field(keys, "Name")).toBeFocused();
  await look(page, "keys-rename");
  await button(keys, "Cancel").click();
  await button(keys, "Revoke The machine at the door").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await look(page, "keys-revoke");
  await button(page.getByRole("dialog"), "Revoke key").click();
  await expect(keys.getByText("Revoked", { exact: true })).toBeVisible();
  await look(page, "keys");
});

test("trouble", { tag }, async ({ page, stage, context, watch }) => {
  watch.expects(401);
  watch.allow(/net::ERR_/);
  const person = await stage.person();
  await enter(page, person);
  await addProject(page, "A cloak");
  await button(page, "New project").click();
  await field(page, "Title").fill("A hat");
  await context.setOffline(true);
  await button(page, "Save").click();
  await expect(page.getByRole("alert").filter({ hasText: "You are offline." })).toBeVisible();
  await look(page, "offline");
  await context.setOffline(false);

  await stage.house.pause();
  try {
    await page.reload();
    await expect(heading(page, "Cannot reach the server")).toBeVisible();
    await look(page, "unreachable");
  } finally {
    await stage.house.restart();
  }
  await person.call("DELETE", "/v1/sessions?except=current");
  await button(page, "Try again").click();
  await expect(page.getByText("Your session has ended. Sign in to go on.")).toBeVisible();
  await look(page, "sign-in-ended");
});

test("loading", { tag }, async ({ page, stage }) => {
  const person = await stage.person();
  await enter(page, person);
  let answer = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route(`${stage.house.url}/v1/projects?*`, async (route) => {
    await asked;
    await route.continue();
  });
  await page.reload();
  await expect(page.getByRole("status").filter({ hasText: "Loading" })).toBeVisible();
  await look(page, "projects-loading");
  answer();
  await expect(heading(page, "No projects yet")).toBeVisible();
});
