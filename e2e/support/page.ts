// What people do on a page, and see.

import type { Locator, Page } from "@playwright/test";
import { PASSWORD, type Person } from "./stage.js";
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

/** The link in the form: the header has one of that name, too. */
export function linkInPage(page: Page, name: string): Locator {
  return link(page.getByRole("main"), name);
}

/** Fills in the form of the page that is open, and sends it. */
export async function signIn(page: Page, { address, password }: Pick<Person, "address" | "password">) {
  await field(page, "Email address").fill(address);
  await field(page, "Password").fill(password);
  await button(page, "Sign in").click();
}

/** Signs up by the form of the page that is open. */
export async function signUp(page: Page, address: string, password = PASSWORD) {
  await field(page, "Email address").fill(address);
  await field(page, "Password").fill(password);
  await field(page, "Password again").fill(password);
  await button(page, "Sign up").click();
}

/** Comes in by the front door. */
export async function enter(page: Page, person: Person) {
  await page.goto("/sign-in");
  await signIn(page, person);
  await expect(heading(page, "Projects")).toBeVisible();
}

export async function addProject(page: Page, title: string, description = "") {
  await button(page, "New project").click();
  await field(page, "Title").fill(title);
  await page.getByLabel("Description").fill(description);
  await button(page, "Save").click();
  await expect(heading(page, title)).toBeVisible();
}

/** An input that is marked as wrong, and whose message is read to who comes to it. */
export async function expectWrong(input: Locator, message: string) {
  await expect(input).toHaveAttribute("aria-invalid", "true");
  await expect(input).toHaveAccessibleDescription(new RegExp(message));
}

/** Goes there by Tab alone. */
export async function tabTo(page: Page, target: Locator) {
  for (let steps = 0; steps < 40; steps++) {
    if (await target.evaluate((element) => element === document.activeElement)) {
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${target}`);
}

/** Records every heading that is shown from now on, over reloads and for a moment, too. */
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
