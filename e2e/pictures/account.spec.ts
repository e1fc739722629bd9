// The account page, scrolled to devices and API keys, for README.md.

import { fileURLToPath } from "node:url";
import { button, link, section, signInAs } from "../support/page.js";
import { expect, test } from "../support/test.js";

const images = fileURLToPath(new URL("../../docs/images", import.meta.url));

test("account", async ({ page, env, newDevice }) => {
  const user = await env.createUser();
  await signInAs(await newDevice(), user);
  await signInAs(page, user);
  await link(page, "Your account").click();
  await expect(section(page, "Devices").getByText("This device")).toBeVisible();
  await expect(button(page, "New API key")).toBeVisible();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await section(page, "Devices").evaluate((element) => {
      scrollTo(0, element.getBoundingClientRect().top + scrollY - 24);
    });
    await page.screenshot({ path: `${images}/account-${colorScheme}.png`, animations: "disabled" });
  }
});
