import { button, enter, expectWrong, field, heading, link, section, signIn } from "../support/page.js";
import { PASSWORD } from "../support/stage.js";
import { expect, test } from "../support/test.js";

const NEW = "a green cloak, please";

test("devices are listed, and ended from afar", { tag: "@phone" }, async ({ page, stage, device, watch }) => {
  watch.expects(401);
  const person = await stage.person();
  const other = await device();
  await enter(other, person);
  await enter(page, person);
  await link(page, "Your account").click();
  await expect(heading(page, "Your account")).toBeFocused();

  const devices = section(page, "Devices");
  const rows = devices.getByRole("listitem");
  // The third is the one that signed up.
  await expect(rows).toHaveCount(3);
  await expect(rows.filter({ hasText: "This device" })).toHaveCount(1);
  const others = rows.filter({ hasText: "on Linux" }).filter({ hasNotText: "This device" });
  await expect(others).toHaveCount(1);
  await others.getByRole("button", { name: /^End session/ }).click();
  await expect(rows).toHaveCount(2);
  await expect(devices.getByRole("status").filter({ hasText: "has ended" })).toBeVisible();

  await link(other, "Your account").click();
  await expect(other.getByText("Your session has ended. Sign in to go on.")).toBeVisible();
  await expect(heading(other, "Your account")).toBeHidden();
});

test("all others are ended at once, after a question", async ({ page, stage, device, watch }) => {
  watch.expects(401);
  const person = await stage.person();
  const other = await device();
  await enter(other, person);
  await enter(page, person);
  await page.goto("/account");
  const devices = section(page, "Devices");
  await button(devices, "End all others").click();
  const dialog = page.getByRole("dialog", { name: "End all other sessions?" });
  await button(dialog, "Cancel").click();
  await expect(devices.getByRole("listitem")).toHaveCount(3);
  await button(devices, "End all others").click();
  await button(dialog, "End them").click();
  await expect(devices.getByRole("listitem")).toHaveCount(1);
  await expect(devices.getByText("2 sessions ended.")).toBeVisible();
  await expect(button(devices, "End all others")).toBeHidden();
  await other.reload();
  await expect(heading(other, "Sign in")).toBeVisible();
});

test("a new password takes the old one, and ends the other devices", { tag: "@phone" }, async ({
  page,
  stage,
  watch,
}) => {
  watch.expects(422, 401);
  const person = await stage.person();
  await enter(page, person);
  await page.goto("/account");
  const form = section(page, "Password");
  await field(form, "Current password").fill("not this one");
  await field(form, "New password").fill(NEW);
  await field(form, "Password again").fill(NEW);
  await button(form, "Change password").click();
  await expectWrong(field(form, "Current password"), "is incorrect");
  await expect(field(form, "Current password")).toBeFocused();

  await field(form, "Current password").fill(person.password);
  await button(form, "Change password").click();
  await expect(form.getByRole("status").filter({ hasText: /./ })).toBeVisible();
  await expect(field(form, "New password")).toHaveValue("");
  await expect(section(page, "Devices").getByRole("listitem")).toHaveCount(1);

  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await signIn(page, person);
  await expect(page.getByText("Invalid email address or password.")).toBeVisible();
  await signIn(page, { address: person.address, password: NEW });
  await expect(heading(page, "Projects")).toBeVisible();
});

test("a new address counts when its link was opened", { tag: "@phone" }, async ({ page, stage, watch }) => {
  watch.expects(422);
  const person = await stage.person();
  const address = stage.address();
  await enter(page, person);
  await page.goto("/account");
  const form = section(page, "Email address");
  await field(form, "New email address").fill("no address");
  await field(form, "Current password").fill(person.password);
  await button(form, "Change address").click();
  await expectWrong(field(form, "New email address"), "is invalid");
  await field(form, "New email address").fill(address);
  await button(form, "Change address").click();
  await expect(form.getByText(`We have mailed a link to ${address}.`)).toBeVisible();
  await expect(page.getByRole("main").getByText(person.address).first()).toBeVisible();

  // The old address is told.
  await stage.house.waitForMail(person.address, /Somebody asked to use another email address/);
  await page.goto(await stage.link(address, "confirmations"));
  await button(page, "Confirm this address").click();
  await link(page, "Go to your projects").click();
  await link(page, "Your account").click();
  await expect(form.getByText(address)).toBeVisible();
  await expect(form.getByText("Confirmed", { exact: true })).toBeVisible();

  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await signIn(page, { address, password: PASSWORD });
  await expect(heading(page, "Projects")).toBeVisible();
});

test("an account is deleted for its password, and not for another", { tag: "@phone" }, async ({
  page,
  stage,
  watch,
}) => {
  watch.expects(422, 401);
  const person = await stage.person();
  await enter(page, person);
  await page.goto("/account");
  await button(section(page, "Delete account"), "Delete account").click();
  const dialog = page.getByRole("dialog", { name: "Delete your account?" });
  await expect(dialog.getByText(person.address)).toBeVisible();
  await field(dialog, "Current password").fill("not this one");
  await button(dialog, "Delete my account").click();
  await expectWrong(field(dialog, "Current password"), "is incorrect");
  await field(dialog, "Current password").fill(person.password);
  await button(dialog, "Delete my account").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await expect(page.getByText("Your account is deleted.")).toBeVisible();
  await signIn(page, person);
  await expect(page.getByText("Invalid email address or password.")).toBeVisible();
});

test("the list of sections leads to sections", async ({ page, stage }) => {
  await enter(page, await stage.person());
  await page.goto("/account");
  const links = page.getByRole("navigation", { name: "Sections of this page" }).getByRole("link");
  await expect(links.first()).toBeVisible();
  for (const target of await links.all()) {
    const name = await target.innerText();
    await target.click();
    await expect(section(page, name)).toBeInViewport();
  }
});
