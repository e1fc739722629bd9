import { button, expectFieldError, field, heading, section, signInAs } from "../support/page.js";
import { expect, test } from "../support/test.js";

test("creates, shows once, renames and revokes an API key", { tag: "@phone" }, async ({
  page,
  env,
  monitor,
  context,
}) => {
  monitor.expectStatus(422);
  const user = await env.createUser();
  await user.call("POST", "/v1/projects", { title: "A cloak" });
  await signInAs(page, user);
  await page.goto("/account");
  const keys = section(page, "API keys");
  await button(keys, "New API key").click();
  await expect(field(keys, "Name")).toBeFocused();
  await button(keys, "Create key").click();
  await expectFieldError(field(keys, "Name"), "can't be blank");
  await expectFieldError(field(keys, "Current password"), "can't be blank");
  await field(keys, "Name").fill("Door machine");
  await keys.getByLabel("Read projects").check();
  await keys.getByLabel("Expires").selectOption("In a year");
  await field(keys, "Current password").fill("wrong");
  await button(keys, "Create key").click();
  await expectFieldError(field(keys, "Current password"), "is incorrect");
  await field(keys, "Current password").fill(user.password);
  await button(keys, "Create key").click();

  await expect(heading(page, "Copy the key Door machine now")).toBeFocused();
  await expect(keys.getByText(/^It will not be shown again\. It expires on \d+ \w+ \d{4}\.$/)).toBeVisible();
  const secret = await keys
    .locator("code")
    .filter({ hasText: /^crk_\w{30,}$/ })
    .innerText();
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await button(keys, "Copy").click();
  await expect(keys.getByText("Copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  const statusWithKey = async () =>
    fetch(`${env.server.url}/v1/projects`, { headers: { "X-API-Key": secret } }).then(({ status }) => status);
  expect(await statusWithKey()).toBe(200);

  await button(keys, "Done").click();
  await expect(page.getByText(secret)).toBeHidden();
  await page.reload();
  const row = keys.getByRole("listitem").filter({ hasText: "Door machine" });
  await expect(row.locator("code")).toHaveText(`crk_…${secret.slice(-4)}`);
  await expect(row).toContainText("projects:read");
  await expect(row).toContainText("Last used");
  await expect(row).toContainText(/expires \d+ \w+ \d{4}/);

  await button(keys, "Rename Door machine").click();
  await field(keys, "Name").fill("Yard machine");
  await button(keys, "Save").click();
  await expect(button(keys, "Rename Yard machine")).toBeFocused();

  await button(keys, "Revoke Yard machine").click();
  const dialog = page.getByRole("dialog", { name: "Revoke this key?" });
  await expect(button(dialog, "Cancel")).toBeFocused();
  await button(dialog, "Revoke key").click();
  await expect(keys.getByText("Revoked", { exact: true })).toBeVisible();
  await expect(button(keys, "Revoke Yard machine")).toBeHidden();
  expect(await statusWithKey()).toBe(401);
});

test("a key without a scope is a field error", async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const user = await env.createUser();
  await signInAs(page, user);
  await page.goto("/account");
  const keys = section(page, "API keys");
  await button(keys, "New API key").click();
  await field(keys, "Name").fill("Without a scope");
  await field(keys, "Current password").fill(user.password);
  await button(keys, "Create key").click();
  await expectFieldError(keys.getByLabel("Read projects"), "can't be blank");
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(button(keys, "New API key")).toBeFocused();
});

test("a key can be valid without end", async ({ page, env }) => {
  const user = await env.createUser();
  await signInAs(page, user);
  await page.goto("/account");
  const keys = section(page, "API keys");
  await button(keys, "New API key").click();
  await field(keys, "Name").fill("Door machine");
  await keys.getByLabel("Read projects").check();
  await keys.getByLabel("Expires").selectOption("Never");
  await field(keys, "Current password").fill(user.password);
  await button(keys, "Create key").click();
  await expect(keys.getByText("It will not be shown again. It never expires.")).toBeVisible();
  await button(keys, "Done").click();
  await expect(keys.getByRole("listitem")).toContainText("never expires");
});
