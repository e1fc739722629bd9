// Locators and user actions.

import type { Locator, Page } from "@playwright/test";
import { PASSWORD, type TestUser } from "./environment.js";
import { expect } from "./test.js";

export function heading(page: Page, name: string): Locator {
  return page.getByRole("heading", { name, exact: true });
}

export function field(where: Page | Locator, label: string): Locator {
  return where.getByLabel(label, { exact: true });
}

export function button(where: Page | Locator, name: string): Locator {
  return where.getByRole("button", { name, exact: true });
}

export function link(where: Page | Locator, name: string): Locator {
  return where.getByRole("link", { name, exact: true });
}

/** A section of the account page. */
export function section(page: Page, name: string): Locator {
  return page.getByRole("region", { name, exact: true });
}

/** A link in the content; the header may have one of the same name. */
export function linkInMain(page: Page, name: string): Locator {
  return link(page.getByRole("main"), name);
}

/** Submits the sign-in form of the open page. */
export async function signIn(page: Page, { address, password }: Pick<TestUser, "address" | "password">) {
  await field(page, "Email address").fill(address);
  await field(page, "Password").fill(password);
  await button(page, "Sign in").click();
}

/** Submits the sign-up form of the open page. */
export async function signUp(page: Page, address: string, password = PASSWORD) {
  await field(page, "Email address").fill(address);
  await field(page, "Password").fill(password);
  await field(page, "Password again").fill(password);
  await button(page, "Sign up").click();
}

/** Opens the sign-in page and signs in. */
export async function signInAs(page: Page, user: TestUser) {
  await page.goto("/sign-in");
  await signIn(page, user);
  await expect(heading(page, "Projects")).toBeVisible();
}

export async function addProject(page: Page, title: string, description = "") {
  await button(page, "New project").click();
  await field(page, "Title").fill(title);
  await page.getByLabel("Description").fill(description);
  await button(page, "Save").click();
  await expect(heading(page, title)).toBeVisible();
}

/** Expects an input marked as invalid and described by the message. */
export async function expectFieldError(input: Locator, message: string) {
  await expect(input).toHaveAttribute("aria-invalid", "true");
  await expect(input).toHaveAccessibleDescription(new RegExp(message));
}

/** Moves the focus to the element by pressing Tab. */
export async function tabTo(page: Page, target: Locator) {
  for (let steps = 0; steps < 40; steps++) {
    if (await target.evaluate((element) => element === document.activeElement)) {
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${target}`);
}

/** Records every heading shown from now on, however briefly and over reloads. */
export async function recordHeadings(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    new MutationObserver(() => {
      for (const { textContent } of document.querySelectorAll("h1")) {
        if (textContent && seen.at(-1) !== textContent) {
          seen.push(textContent);
        }
      }
    }).observe(document, { childList: true, subtree: true, characterData: true });
  });
  return () => page.evaluate(() => (window as unknown as { seen: string[] }).seen);
}
