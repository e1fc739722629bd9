// Screenshots, accessibility checks by axe, and horizontal overflow, in both themes and at 320 px.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import axe from "axe-core";
import { expect } from "./test.js";

const screenshots = fileURLToPath(new URL("../artefacts/screenshots", import.meta.url));

/** Checks the current page; `name` names the screenshots: page and state. */
export async function checkAppearance(page: Page, name: string): Promise<void> {
  const size = page.viewportSize() ?? { width: 0, height: 0 };
  // A backdrop covers the viewport only, so a page with a dialog is not captured whole.
  const fullPage = (await page.locator("dialog[open]").count()) === 0;
  mkdirSync(screenshots, { recursive: true });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await animationsFinished(page);
    expect(await violations(page), `${name}, ${colorScheme}`).toEqual([]);
    await page.screenshot({
      path: `${screenshots}/${name}-${colorScheme}-${size.width}.png`,
      fullPage,
      animations: "disabled",
      caret: "hide",
    });
  }
  await page.emulateMedia({ colorScheme: "light" });

  expect(await overflowing(page), `${name} overflows at ${size.width} px`).toEqual([]);
  await page.setViewportSize({ width: 320, height: size.height });
  expect(await overflowing(page), `${name} overflows at 320 px`).toEqual([]);
  await page.setViewportSize(size);
}

/** Waits for all animations that end. */
async function animationsFinished(page: Page) {
  await page.evaluate(async () => {
    const finite = document
      .getAnimations()
      .filter((each) => each.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(finite.map((each) => each.finished));
  });
}

async function violations(page: Page): Promise<string[]> {
  // `evaluate` runs over the debugger protocol, which ignores the Content-Security-Policy.
  await page.evaluate(axe.source);
  const violationsFound = await page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: typeof import("axe-core") }).axe.run();
    return violations;
  });
  return violationsFound.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n${html}\n${failureSummary ?? ""}`),
  );
}

/** The elements beyond the right edge, if the page scrolls horizontally. */
function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) {
      return [];
    }
    return [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > clientWidth + 0.5)
      .map((element) => element.outerHTML.slice(0, 120));
  });
}
