import { PASSWORD } from "../support/environment.js";
import {
  button,
  expectFieldError,
  field,
  heading,
  link,
  section,
  signIn,
  signInAs,
} from "../support/page.js";
import { expect, test } from "../support/test.js";

const NEW = "a green cloak, please";

test("lists sessions and ends one of another device", { tag: "@phone" }, async ({
  page,
  env,
  newDevice,
  monitor,
}) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  const other = await newDevice();
  await signInAs(other, user);
  await signInAs(page, user);
  await link(page, "Your account").click();
  await expect(heading(page, "Your account")).toBeFocused();

  const devices = section(page, "Devices");
  const rows = devices.getByRole("listitem");
  // The third session is that of the sign-up over the API.
  await expect(rows).toHaveCount(3);
  await expect(rows.filter({ hasText: "This device" })).toHaveCount(1);
  const others = rows.filter({ hasText: "on Linux" }).filter({ hasNotText: "This device" });
  await expect(others).toHaveCount(1);
  await others.getByRole("button", { name: /^End session/ }).click();
  await expect(rows).toHaveCount(2);
  await expect(devices.getByRole("status").filter({ hasText: "has ended" })).toBeVisible();

  await link(other, "Your account").click();
  await expect(other.getByText("Your session has ended. Sign in to continue.")).toBeVisible();
  await expect(heading(other, "Your account")).toBeHidden();
});

test("ends all other sessions after a confirmation", async ({ page, env, newDevice, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  const other = await newDevice();
  await signInAs(other, user);
  await signInAs(page, user);
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

test("a new password replaces the old and ends other sessions", { tag: "@phone" }, async ({
  page,
  env,
  monitor,
}) => {
  monitor.expectStatus(422, 401);
  const user = await env.createUser();
  await signInAs(page, user);
  await page.goto("/account");
  const form = section(page, "Password");
  await field(form, "Current password").fill("not this one");
  await field(form, "New password").fill(NEW);
  await field(form, "Password again").fill(NEW);
  await button(form, "Change password").click();
  await expectFieldError(field(form, "Current password"), "is incorrect");
  await expect(field(form, "Current password")).toBeFocused();

  await field(form, "Current password").fill(user.password);
  await button(form, "Change password").click();
  await expect(form.getByRole("status").filter({ hasText: /./ })).toBeVisible();
  await expect(field(form, "New password")).toHaveValue("");
  await expect(section(page, "Devices").getByRole("listitem")).toHaveCount(1);

  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await signIn(page, user);
  await expect(page.getByText("Invalid email address or password.")).toBeVisible();
  await signIn(page, { address: user.address, password: NEW });
  await expect(heading(page, "Projects")).toBeVisible();
});

test("a new address takes effect when its link is opened", { tag: "@phone" }, async ({
  page,
  env,
  monitor,
}) => {
  monitor.expectStatus(422);
  const user = await env.createUser();
  const address = env.uniqueAddress();
  await signInAs(page, user);
  await page.goto("/account");
  const form = section(page, "Email address");
  await field(form, "New email address").fill("no address");
  await field(form, "Current password").fill(user.password);
  await button(form, "Change address").click();
  await expectFieldError(field(form, "New email address"), "is invalid");
  await field(form, "New email address").fill(address);
  await button(form, "Change address").click();
  await expect(form.getByText(`We have mailed a link to ${address}.`)).toBeVisible();
  await expect(page.getByRole("main").getByText(user.address).first()).toBeVisible();

  // The old address is notified.
  await env.server.waitForMail(user.address, /another email address/);
  await page.goto(await env.mailedLink(address, "confirmations"));
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

test("deleting the account requires the password", { tag: "@phone" }, async ({ page, env, monitor }) => {
  monitor.expectStatus(422, 401);
  const user = await env.createUser();
  await signInAs(page, user);
  await page.goto("/account");
  await button(section(page, "Delete account"), "Delete account").click();
  const dialog = page.getByRole("dialog", { name: "Delete your account?" });
  await expect(dialog.getByText(user.address)).toBeVisible();
  await field(dialog, "Current password").fill("not this one");
  await button(dialog, "Delete my account").click();
  await expectFieldError(field(dialog, "Current password"), "is incorrect");
  await field(dialog, "Current password").fill(user.password);
  await button(dialog, "Delete my account").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await expect(page.getByText("Your account is deleted.")).toBeVisible();
  await signIn(page, user);
  await expect(page.getByText("Invalid email address or password.")).toBeVisible();
});

test("section links scroll to their sections", async ({ page, env }) => {
  await signInAs(page, await env.createUser());
  await page.goto("/account");
  const links = page.getByRole("navigation", { name: "Sections of this page" }).getByRole("link");
  await expect(links.first()).toBeVisible();
  for (const target of await links.all()) {
    const name = await target.innerText();
    await target.click();
    await expect(section(page, name)).toBeInViewport();
  }
});
