// What a page looks like: pictures for people, and axe for those who do not see them. Both themes, and a narrow window.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import axe from "axe-core";
import { expect } from "./test.js";

const pictures = fileURLToPath(new URL("../artefacts/screenshots", import.meta.url));

/** Looks at the page as it is; `name` is that of the picture: page and state. */
export async function look(page: Page, name: string): Promise<void> {
  const size = page.viewportSize() ?? { width: 0, height: 0 };
  // What is before a dialog is not below its shade.
  const whole = (await page.locator("dialog[open]").count()) === 0;
  mkdirSync(pictures, { recursive: true });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await still(page);
    expect(await violations(page), `${name}, ${colorScheme}`).toEqual([]);
    await page.screenshot({
      path: `${pictures}/${name}-${colorScheme}-${size.width}.png`,
      fullPage: whole,
      animations: "disabled",
      caret: "hide",
    });
  }
  await page.emulateMedia({ colorScheme: "light" });

  expect(await overhang(page), `${name} goes sideways at ${size.width} px`).toEqual([]);
  await page.setViewportSize({ width: 320, height: size.height });
  expect(await overhang(page), `${name} goes sideways at 320 px`).toEqual([]);
  await page.setViewportSize(size);
}

/** Waits until nothing is between two states; what turns for ever is left alone. */
async function still(page: Page) {
  await page.evaluate(async () => {
    const ending = document
      .getAnimations()
      .filter((each) => each.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map((each) => each.finished));
  });
}

async function violations(page: Page): Promise<string[]> {
  // By the debugger, which no content security policy stops.
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: typeof import("axe-core") }).axe.run();
    return violations;
  });
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n${html}\n${failureSummary ?? ""}`),
  );
}

/** The elements that stick out to the right, if one can scroll there. */
function overhang(page: Page): Promise<string[]> {
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
