// The fixtures: the environment, a monitored page, and further browsers.

import { test as base, expect, type Page } from "@playwright/test";
import { TestEnvironment } from "./environment.js";
import { PageMonitor } from "./page-monitor.js";

interface Fixtures {
  /** Opens a page in another browser context, like on another device. */
  newDevice: () => Promise<Page>;
  monitor: PageMonitor;
  checkProblems: undefined;
}

interface WorkerFixtures {
  /** Server settings beyond those of every test: `test.use({ settings: { … } })`. */
  settings: Record<string, string>;
  /** Whether users can sign in by another provider: `env.provider`. */
  withProvider: boolean;
  env: TestEnvironment;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  settings: [{}, { option: true, scope: "worker" }],
  withProvider: [false, { option: true, scope: "worker" }],
  env: [
    async ({ settings, withProvider }, use) => {
      const env = await TestEnvironment.start(settings, withProvider);
      await use(env);
      await env.stop();
    },
    { scope: "worker" },
  ],
  baseURL: ({ env }, use) => use(env.frontend.url),
  monitor: ({ env }, use) => use(new PageMonitor(env)),
  newDevice: async ({ browser, monitor }, use) => {
    const opened: Page[] = [];
    await use(async () => {
      const context = await browser.newContext();
      monitor.add(context);
      const page = await context.newPage();
      opened.push(page);
      return page;
    });
    await Promise.all(opened.map((page) => page.context().close()));
  },
  checkProblems: [
    async ({ context, newDevice: _, monitor }, use, test) => {
      monitor.add(context);
      await use(undefined);
      // After a failure, problems are probably consequences of it.
      if (test.errors.length === 0) {
        expect(await monitor.problems()).toEqual([]);
      }
    },
    { auto: true },
  ],
});

export { expect };
