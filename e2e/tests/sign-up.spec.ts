import {
  button,
  expectFieldError,
  field,
  heading,
  link,
  linkInMain,
  signInAs,
  signUp,
} from "../support/page.js";
import { expect, test } from "../support/test.js";

test("sign-up leads to an empty project list", { tag: "@phone" }, async ({ page, env }) => {
  await page.goto("/");
  await expect(heading(page, "Sign in")).toBeVisible();
  await linkInMain(page, "Sign up").click();
  await expect(heading(page, "Sign up")).toBeFocused();
  await signUp(page, env.uniqueAddress());
  await expect(heading(page, "Projects")).toBeVisible();
  await expect(heading(page, "No projects yet")).toBeVisible();
  await expect(page).toHaveTitle("Projects · Cloakroom");
  await expect(link(page, "Your account")).toBeVisible();
});

test("a taken address is refused without details", async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const { address } = await env.createUser();
  await page.goto("/sign-up");
  await signUp(page, address);
  await expect(page.getByRole("alert").filter({ hasText: "There was a problem" })).toBeFocused();
  await expect(field(page, "Email address")).toHaveValue(address);
});

test("a short password is a field error and keeps the input", async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  const address = env.uniqueAddress();
  await page.goto("/sign-up");
  await signUp(page, address, "short");
  await expectFieldError(field(page, "Password"), "is too short");
  await expect(field(page, "Password")).toBeFocused();
  await expect(field(page, "Email address")).toHaveValue(address);
  await expect(field(page, "Email address")).not.toHaveAttribute("aria-invalid");

  await field(page, "Password").fill("a longer one by far");
  await expect(field(page, "Password")).not.toHaveAttribute("aria-invalid");
  await field(page, "Password again").fill("a longer one by far");
  await button(page, "Sign up").click();
  await expect(heading(page, "Projects")).toBeVisible();
});

test("differing passwords are an error of the second field", async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  await page.goto("/sign-up");
  await field(page, "Email address").fill(env.uniqueAddress());
  await field(page, "Password").fill("a black cloak, please");
  await field(page, "Password again").fill("a black coat, please");
  await button(page, "Sign up").click();
  await expectFieldError(field(page, "Password again"), "doesn't match");
  await expect(field(page, "Password again")).toBeFocused();
});

test("an empty form shows an error at each field", async ({ page, monitor }) => {
  monitor.expectStatus(422);
  await page.goto("/sign-up");
  await button(page, "Sign up").click();
  await expectFieldError(field(page, "Email address"), "can't be blank");
  await expectFieldError(field(page, "Password"), "can't be blank");
  await expect(field(page, "Email address")).toBeFocused();
});

test("the password can be shown", async ({ page }) => {
  await page.goto("/sign-up");
  const password = field(page, "Password");
  await password.fill("a black cloak, please");
  await expect(password).toHaveAttribute("type", "password");
  const show = button(page, "Show password");
  await show.click();
  await expect(show).toHaveAttribute("aria-pressed", "true");
  await expect(password).toHaveAttribute("type", "text");
  await expect(password).toHaveValue("a black cloak, please");
});

test("a signed-in user is redirected to the projects", async ({ page, env }) => {
  await signInAs(page, await env.createUser());
  await page.goto("/sign-up");
  await expect(heading(page, "Projects")).toBeVisible();
  await page.goto("/sign-in");
  await expect(heading(page, "Projects")).toBeVisible();
});
