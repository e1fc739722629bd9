import { button, enter, field, heading, linkInPage, recordHeadings, signIn } from "../support/page.js";
import { expect, test } from "../support/test.js";

test("signing in leads to the projects, and stays over a reload", { tag: "@phone" }, async ({
  page,
  stage,
}) => {
  const person = await stage.person();
  await person.call("POST", "/v1/projects", { title: "A cloak" });
  await enter(page, person);
  await expect(heading(page, "A cloak")).toBeVisible();

  const headings = await recordHeadings(page);
  await page.reload();
  await expect(heading(page, "A cloak")).toBeVisible();
  // Not a frame of the sign-in page.
  expect(await headings()).toEqual(["Projects"]);
});

test("a visitor costs the server nothing, and sees no frame of what is not theirs", async ({
  page,
  stage,
}) => {
  const asked: string[] = [];
  page.on("request", (request) => request.url().startsWith(stage.house.url) && asked.push(request.url()));
  const headings = await recordHeadings(page);
  await page.goto("/account");
  await expect(heading(page, "Sign in")).toBeVisible();
  expect(await headings()).toEqual(["Sign in"]);
  expect(asked).toEqual([]);
});

test("a wrong password and an unknown address are told alike", async ({ page, stage, watch }) => {
  watch.expects(401);
  const { address } = await stage.person();
  await page.goto("/sign-in");
  for (const who of [address, stage.address()]) {
    await signIn(page, { address: who, password: "not this one" });
    await expect(page.getByRole("alert").filter({ hasText: /./ })).toHaveText(
      "Invalid email address or password.",
    );
    await expect(field(page, "Email address")).toHaveValue(who);
    await expect(field(page, "Password")).toHaveValue("not this one");
    await field(page, "Email address").fill("");
  }
});

test("one is led back to where one wanted to go", async ({ page, stage }) => {
  const person = await stage.person();
  await page.goto("/account");
  await expect(heading(page, "Sign in")).toBeVisible();
  await signIn(page, person);
  await expect(heading(page, "Your account")).toBeVisible();
  await expect(page).toHaveURL(/\/account$/);
});

test("no address of ours sends people elsewhere", async ({ page, stage }) => {
  const person = await stage.person();
  await page.goto("/sign-in?from=https://example.com/&next=//example.com");
  await signIn(page, person);
  await expect(heading(page, "Projects")).toBeVisible();
  expect(new URL(page.url()).origin).toBe(stage.front.url);
});

test("a double click signs in once", async ({ page, stage }) => {
  const person = await stage.person();
  await page.goto("/sign-in");
  await field(page, "Email address").fill(person.address);
  await field(page, "Password").fill(person.password);
  const sent: string[] = [];
  page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
  await button(page, "Sign in").dblclick();
  await expect(heading(page, "Projects")).toBeVisible();
  expect(sent).toHaveLength(1);
});

test("who asks for it is remembered for longer", async ({ page, stage, context }) => {
  const person = await stage.person();
  const days = async () => {
    const [cookie] = await context.cookies(stage.house.url);
    return ((cookie?.expires ?? 0) - Date.now() / 1000) / 86_400;
  };
  await enter(page, person);
  expect(await days()).toBeLessThan(31);
  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await page.getByLabel("Keep me signed in").check();
  await signIn(page, person);
  await expect(heading(page, "Projects")).toBeVisible();
  expect(await days()).toBeGreaterThan(100);
});

test("back and forward lead where they say", async ({ page }) => {
  await page.goto("/sign-in");
  await linkInPage(page, "Sign up").click();
  await expect(heading(page, "Sign up")).toBeVisible();
  await page.goBack();
  await expect(heading(page, "Sign in")).toBeVisible();
  await page.goForward();
  await expect(heading(page, "Sign up")).toBeVisible();
});

test("an address that leads nowhere says so", { tag: "@phone" }, async ({ page }) => {
  await page.goto("/no/such/page");
  await expect(heading(page, "There is nothing here")).toBeVisible();
  await linkInPage(page, "Go home").click();
  await expect(heading(page, "Sign in")).toBeVisible();
});
