// What a test is given: the stage, a page that is watched, and as many devices as it wants.

import { test as base, expect, type Page } from "@playwright/test";
import { Stage } from "./stage.js";
import { Watch } from "./watch.js";

interface Given {
  /** Opens another browser, which has nothing in common with the first. */
  device: () => Promise<Page>;
  watch: Watch;
  verdict: undefined;
}

interface Worker {
  /** Over those that every test has: `test.use({ settings: { … } })`. */
  settings: Record<string, string>;
  stage: Stage;
}

export const test = base.extend<Given, Worker>({
  settings: [{}, { option: true, scope: "worker" }],
  stage: [
    async ({ settings }, use) => {
      const stage = await Stage.raise(settings);
      await use(stage);
      await stage.strike();
    },
    { scope: "worker" },
  ],
  baseURL: ({ stage }, use) => use(stage.front.url),
  watch: ({ stage }, use) => use(new Watch(stage)),
  device: async ({ browser, watch }, use) => {
    const opened: Page[] = [];
    await use(async () => {
      const context = await browser.newContext();
      watch.add(context);
      const page = await context.newPage();
      opened.push(page);
      return page;
    });
    await Promise.all(opened.map((page) => page.context().close()));
  },
  verdict: [
    async ({ context, device: _, watch }, use, test) => {
      watch.add(context);
      await use(undefined);
      // What made a test fail is told; what came of it need not be.
      if (test.errors.length === 0) {
        expect(await watch.verdict()).toEqual([]);
      }
    },
    { auto: true },
  ],
});

export { expect };
