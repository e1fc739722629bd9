import { button, enter, expectWrong, field, heading, section } from "../support/page.js";
import { expect, test } from "../support/test.js";

test("a key is made, shown once, used, renamed and revoked", { tag: "@phone" }, async ({
  page,
  stage,
  watch,
  context,
}) => {
  watch.expects(422);
  const person = await stage.person();
  await person.call("POST", "/v1/projects", { title: "A cloak" });
  await enter(page, person);
  await page.goto("/account");
  const keys = section(page, "API keys");
  await button(keys, "New API key").click();
  await expect(field(keys, "Name")).toBeFocused();
  await button(keys, "Make the key").click();
  await expectWrong(field(keys, "Name"), "can't be blank");
  await field(keys, "Name").fill("The machine at the door");
  await keys.getByLabel("Read projects").check();
  await keys.getByLabel("Ends").selectOption("In a year");
  await button(keys, "Make the key").click();

  await expect(heading(page, "Copy the key of The machine at the door now")).toBeFocused();
  const secret = await keys
    .locator("code")
    .filter({ hasText: /^crk_\w{30,}$/ })
    .innerText();
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await button(keys, "Copy").click();
  await expect(keys.getByText("Copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  const use = async () =>
    fetch(`${stage.house.url}/v1/projects`, { headers: { "X-API-Key": secret } }).then(
      ({ status }) => status,
    );
  expect(await use()).toBe(200);

  await button(keys, "I have it").click();
  await expect(page.getByText(secret)).toBeHidden();
  await page.reload();
  const row = keys.getByRole("listitem").filter({ hasText: "The machine at the door" });
  await expect(row.locator("code")).toHaveText(`crk_…${secret.slice(-4)}`);
  await expect(row).toContainText("projects:read");
  await expect(row).toContainText("Last used");

  await button(keys, "Rename The machine at the door").click();
  await field(keys, "Name").fill("The machine in the yard");
  await button(keys, "Save").click();
  await expect(button(keys, "Rename The machine in the yard")).toBeFocused();

  await button(keys, "Revoke The machine in the yard").click();
  const dialog = page.getByRole("dialog", { name: "Revoke this key?" });
  await expect(button(dialog, "Cancel")).toBeFocused();
  await button(dialog, "Revoke key").click();
  await expect(keys.getByText("Revoked", { exact: true })).toBeVisible();
  await expect(button(keys, "Revoke The machine in the yard")).toBeHidden();
  expect(await use()).toBe(401);
});

test("a key without a scope is refused at the scopes", async ({ page, stage, watch }) => {
  watch.expects(422);
  await enter(page, await stage.person());
  await page.goto("/account");
  const keys = section(page, "API keys");
  await button(keys, "New API key").click();
  await field(keys, "Name").fill("Without a scope");
  await button(keys, "Make the key").click();
  await expectWrong(keys.getByLabel("Read projects"), "can't be blank");
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(button(keys, "New API key")).toBeFocused();
});
