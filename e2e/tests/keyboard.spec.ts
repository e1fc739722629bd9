import { PASSWORD } from "../support/environment.js";
import { button, field, heading, link, linkInMain, section, tabTo } from "../support/page.js";
import { expect, test } from "../support/test.js";

test("all project actions work by keyboard", async ({ page, env }) => {
  const { keyboard } = page;
  await page.goto("/sign-in");
  await expect(heading(page, "Sign in")).toBeVisible();
  await keyboard.press("Tab");
  await expect(link(page, "Skip to content")).toBeFocused();
  await expect(link(page, "Skip to content")).toBeInViewport();
  await keyboard.press("Enter");
  await keyboard.press("Tab");
  await expect(field(page, "Email address")).toBeFocused();

  await tabTo(page, linkInMain(page, "Sign up"));
  await keyboard.press("Enter");
  await expect(heading(page, "Sign up")).toBeFocused();
  for (const [label, text] of [
    ["Email address", env.uniqueAddress()],
    ["Password", PASSWORD],
    ["Password again", PASSWORD],
  ] as const) {
    await tabTo(page, field(page, label));
    await keyboard.type(text);
  }
  await keyboard.press("Enter");
  await expect(heading(page, "Projects")).toBeFocused();

  await tabTo(page, button(page, "New project"));
  await keyboard.press("Enter");
  await keyboard.type("A cloak");
  await keyboard.press("Tab");
  await keyboard.type("black");
  await keyboard.press("Tab");
  await keyboard.press("Enter");
  await expect(heading(page, "A cloak")).toBeVisible();

  await tabTo(page, button(page, "Delete A cloak"));
  await keyboard.press("Enter");
  await keyboard.press("Tab");
  await expect(button(page, "Delete project")).toBeFocused();
  await keyboard.press("Enter");
  await expect(heading(page, "No projects yet")).toBeVisible();

  await tabTo(page, button(page, "New project"));
  await keyboard.press("Shift+Tab");
  await tabTo(page, button(page, "New project"));
  await keyboard.press("Enter");
  await keyboard.press("Escape");
  await expect(button(page, "New project")).toBeFocused();
});

test("every focused element has a visible outline", async ({ page, env }) => {
  const user = await env.createUser();
  await page.goto("/sign-in");
  await tabTo(page, field(page, "Email address"));
  await page.keyboard.type(user.address);
  await tabTo(page, field(page, "Password"));
  await page.keyboard.type(user.password);
  await page.keyboard.press("Enter");
  await expect(heading(page, "Projects")).toBeVisible();
  await tabTo(page, link(page, "Your account"));
  await page.keyboard.press("Enter");
  await expect(section(page, "Devices").getByText("This device")).toBeVisible();

  let rounds = 0;
  for (; rounds < 60; rounds++) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) {
        return "end";
      }
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const { width, height } = element.getBoundingClientRect();
      return outlineStyle !== "none" && outlineWidth !== "0px" && width > 1 && height > 1
        ? "seen"
        : element.outerHTML.slice(0, 200);
    });
    if (seen === "end") {
      break;
    }
    expect(seen).toBe("seen");
  }
  expect(rounds).toBeGreaterThan(15);
});
