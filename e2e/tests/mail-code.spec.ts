import type { Page } from "@playwright/test";
import { totpCode } from "../../clients/typescript/test/totp.js";
import { checkAppearance } from "../support/appearance.js";
import type { TestEnvironment } from "../support/environment.js";
import { button, field, heading, link, linkInMain, signIn, tabTo } from "../support/page.js";
import { expect, test } from "../support/test.js";

/** Opens the page and asks for a code. */
async function askForCode(page: Page, address: string) {
  await page.goto("/sign-in/code");
  await field(page, "Email address").fill(address);
  await button(page, "Email me a code").click();
  await expect(field(page, "Code")).toBeFocused();
}

/** The code in the newest mail to the address, of `count` mails with codes. */
async function mailedCode(env: TestEnvironment, address: string, count = 1): Promise<string> {
  let codes: string[] = [];
  await expect(async () => {
    const mails = await env.mailsTo(address);
    codes = mails.flatMap(({ text }) => /sign in: (\d{8})/.exec(text)?.[1] ?? []);
    expect(codes).toHaveLength(count);
  }).toPass();
  return codes.at(-1) ?? "";
}

const otherThan = (code: string) => code.slice(0, 7) + ((Number(code[7]) + 1) % 10);

test("a mailed code signs in, by keyboard", { tag: "@phone" }, async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const { keyboard } = page;
  const { address } = await env.createUser();
  await page.goto("/sign-in");
  await tabTo(page, linkInMain(page, "Email me a code"));
  await keyboard.press("Enter");
  await expect(heading(page, "Sign in by mail")).toBeFocused();
  await tabTo(page, field(page, "Email address"));
  await keyboard.type(address);
  await keyboard.press("Enter");

  await expect(field(page, "Code")).toBeFocused();
  await expect(field(page, "Code")).toHaveAttribute("autocomplete", "one-time-code");
  await expect(page.getByText(address)).toBeVisible();
  const code = await mailedCode(env, address);
  await keyboard.type(otherThan(code));
  await keyboard.press("Enter");
  await expect(page.getByRole("alert").filter({ hasText: "Invalid code." })).toBeVisible();
  await field(page, "Code").fill(`${code.slice(0, 4)} ${code.slice(4)}`);
  await keyboard.press("Enter");
  await expect(heading(page, "Projects")).toBeVisible();
  await page.reload();
  await expect(heading(page, "Projects")).toBeVisible();
});

test("an unknown address looks the same", async ({ page, env }) => {
  await askForCode(page, env.uniqueAddress());
  await expect(heading(page, "Enter the code from your mail")).toBeVisible();
});

test("the link signs in the browser that asked", async ({ page, env, context }) => {
  const { address } = await env.createUser();
  await askForCode(page, address);
  const other = await context.newPage();
  await other.goto(await env.mailedLink(address, "session/code"));
  await expect(heading(other, "Projects")).toBeVisible();
  // The tab that asked follows.
  await expect(heading(page, "Projects")).toBeVisible();
});

test("another device shows the code to type", { tag: "@phone" }, async ({ page, env, newDevice }) => {
  const { address } = await env.createUser();
  await askForCode(page, address);
  const device = await newDevice();
  await device.goto(await env.mailedLink(address, "session/code"));
  const shown = device.getByRole("status", { name: "Code" });
  await expect(shown).toHaveText(await mailedCode(env, address));
  await checkAppearance(device, "mail-link-elsewhere");
  await field(page, "Code").fill(await shown.innerText());
  await button(page, "Sign in").click();
  await expect(heading(page, "Projects")).toBeVisible();

  await device.goto("/");
  await expect(heading(device, "Sign in")).toBeVisible();
});

test("a scanner that presses every button gets no session", async ({ page, env, newDevice }) => {
  const { address } = await env.createUser();
  await askForCode(page, address);
  const mailed = await env.mailedLink(address, "session/code");
  const scanner = await newDevice();
  await scanner.goto(mailed);
  await expect(scanner.getByRole("status", { name: "Code" })).toBeVisible();
  for (const each of await scanner.getByRole("main").getByRole("button").all()) {
    await each.click();
  }
  await scanner.goto("/account");
  await expect(heading(scanner, "Sign in")).toBeVisible();
  expect((await scanner.context().cookies()).length).toBe(0);

  const other = await page.context().newPage();
  await other.goto(mailed);
  await expect(heading(other, "Projects")).toBeVisible();
});

test("five wrong codes replace the form", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const { address } = await env.createUser();
  await askForCode(page, address);
  const wrong = otherThan(await mailedCode(env, address));
  for (let tries = 0; tries < 5; tries++) {
    const answered = page.waitForResponse("**/v1/session");
    await field(page, "Code").fill(wrong);
    await button(page, "Sign in").click();
    await answered;
  }
  await expect(page.getByRole("alert")).toBeFocused();
  await expect(page.getByRole("alert")).toHaveText("That code was wrong too often. Ask for another one.");
  await expect(field(page, "Email address")).toBeVisible();
});

test("another mail can be asked for after a minute", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const { address } = await env.createUser();
  await page.clock.install();
  await askForCode(page, address);
  const first = await mailedCode(env, address);
  await expect(button(page, "Send another mail")).toBeHidden();
  await page.clock.fastForward(61_000);
  await button(page, "Send another mail").click();
  const second = await mailedCode(env, address, 2);
  await expect(button(page, "Send another mail")).toBeHidden();
  await field(page, "Code").fill(first);
  await button(page, "Sign in").click();
  await expect(page.getByText("Invalid code.")).toBeVisible();
  await field(page, "Code").fill(second);
  await button(page, "Sign in").click();
  await expect(heading(page, "Projects")).toBeVisible();
});

test("a second factor is asked for after the code and the link", async ({ page, env, monitor, context }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  await env.confirmAddress(user);
  const { secret, recoveryCodes } = await env.setUpApp(user);
  await askForCode(page, user.address);
  await field(page, "Code").fill(await mailedCode(env, user.address));
  await button(page, "Sign in").click();
  await expect(heading(page, "Enter your code")).toBeVisible();
  await field(page, "Code").fill(await totpCode(secret));
  await button(page, "Sign in").click();
  await expect(heading(page, "Projects")).toBeVisible();

  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await askForCode(page, user.address);
  await mailedCode(env, user.address, 2);
  const other = await context.newPage();
  await other.goto(await env.mailedLink(user.address, "session/code"));
  await expect(heading(other, "Enter your code")).toBeVisible();
  await button(other, "Use a recovery code").click();
  await field(other, "Recovery code").fill(recoveryCodes[0] ?? "");
  await button(other, "Sign in").click();
  await expect(heading(other, "Projects")).toBeVisible();
});

test("a used link, or none, leads to another mail", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  await page.goto("/session/code");
  await expect(page.getByText("Open the link from your mail again.")).toBeVisible();
  await linkInMain(page, "Ask for another mail").click();
  await expect(heading(page, "Sign in by mail")).toBeVisible();
  const { address } = await env.createUser();
  await askForCode(page, address);
  const mailed = await env.mailedLink(address, "session/code");
  await field(page, "Code").fill(await mailedCode(env, address));
  await button(page, "Sign in").click();
  await expect(heading(page, "Projects")).toBeVisible();
  await page.goto(mailed);
  await expect(page.getByText("Sign-in link is invalid or has expired.")).toBeVisible();
});

test("the pages of a sign-in by mail look right", { tag: "@phone" }, async ({ page, env, monitor }) => {
  test.setTimeout(120_000);
  monitor.expectStatus(401);
  const { address } = await env.createUser();
  await page.goto("/sign-in/code");
  await expect(heading(page, "Sign in by mail")).toBeVisible();
  await checkAppearance(page, "mail-code-ask");
  await page.clock.install();
  await askForCode(page, address);
  await checkAppearance(page, "mail-code-enter");
  await page.clock.fastForward(61_000);
  await expect(button(page, "Send another mail")).toBeVisible();
  await field(page, "Code").fill("1234");
  await button(page, "Sign in").click();
  await expect(page.getByText("Invalid code.")).toBeVisible();
  await checkAppearance(page, "mail-code-failed");
  await page.goto("/session/code#made-up");
  await expect(link(page, "Ask for another mail")).toBeVisible();
  await checkAppearance(page, "mail-link-invalid");
});

test("the password that another person may have set is removed", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  await askForCode(page, user.address);
  await field(page, "Code").fill(await mailedCode(env, user.address));
  await button(page, "Sign in").click();
  await expect(heading(page, "Projects")).toBeVisible();
  await env.server.waitForMail(user.address, /password of the account/);
  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await signIn(page, user);
  await expect(page.getByText("Invalid email address or password.")).toBeVisible();
});
