import { button, enter, expectWrong, field, heading, link, linkInPage, signUp } from "../support/page.js";
import { expect, test } from "../support/test.js";

test("signing up leads to an empty list of projects", { tag: "@phone" }, async ({ page, stage }) => {
  await page.goto("/");
  await expect(heading(page, "Sign in")).toBeVisible();
  await linkInPage(page, "Sign up").click();
  await expect(heading(page, "Sign up")).toBeFocused();
  await signUp(page, stage.address());
  await expect(heading(page, "Projects")).toBeVisible();
  await expect(heading(page, "No projects yet")).toBeVisible();
  await expect(page).toHaveTitle("Projects · Cloakroom");
  await expect(link(page, "Your account")).toBeVisible();
});

test("a taken address is refused without a word about whose it is", async ({ page, stage, watch }) => {
  watch.expects(422);
  const { address } = await stage.person();
  await page.goto("/sign-up");
  await signUp(page, address);
  await expect(page.getByRole("alert").filter({ hasText: "There was a problem" })).toBeFocused();
  await expect(field(page, "Email address")).toHaveValue(address);
});

test("a short password is told at its field, and the rest stays filled in", async ({
  page,
  stage,
  watch,
}) => {
  watch.expects(422);
  const address = stage.address();
  await page.goto("/sign-up");
  await signUp(page, address, "short");
  await expectWrong(field(page, "Password"), "is too short");
  await expect(field(page, "Password")).toBeFocused();
  await expect(field(page, "Email address")).toHaveValue(address);
  await expect(field(page, "Email address")).not.toHaveAttribute("aria-invalid");

  await field(page, "Password").fill("a longer one by far");
  await expect(field(page, "Password")).not.toHaveAttribute("aria-invalid");
  await field(page, "Password again").fill("a longer one by far");
  await button(page, "Sign up").click();
  await expect(heading(page, "Projects")).toBeVisible();
});

test("two passwords that differ are told at the second", async ({ page, stage, watch }) => {
  watch.expects(422);
  await page.goto("/sign-up");
  await field(page, "Email address").fill(stage.address());
  await field(page, "Password").fill("a black cloak, please");
  await field(page, "Password again").fill("a black coat, please");
  await button(page, "Sign up").click();
  await expectWrong(field(page, "Password again"), "doesn't match");
  await expect(field(page, "Password again")).toBeFocused();
});

test("nothing filled in is told at each field", async ({ page, watch }) => {
  watch.expects(422);
  await page.goto("/sign-up");
  await button(page, "Sign up").click();
  await expectWrong(field(page, "Email address"), "can't be blank");
  await expectWrong(field(page, "Password"), "can't be blank");
  await expect(field(page, "Email address")).toBeFocused();
});

test("a password can be looked at", async ({ page }) => {
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

test("who is signed in is led past sign-in and sign-up", async ({ page, stage }) => {
  await enter(page, await stage.person());
  await page.goto("/sign-up");
  await expect(heading(page, "Projects")).toBeVisible();
  await page.goto("/sign-in");
  await expect(heading(page, "Projects")).toBeVisible();
});
