import { button, field, heading, linkInMain, recordHeadings, signIn, signInAs } from "../support/page.js";
import { expect, test } from "../support/test.js";

test("sign-in leads to the projects and survives a reload", { tag: "@phone" }, async ({ page, env }) => {
  const user = await env.createUser();
  await user.call("POST", "/v1/projects", { title: "A cloak" });
  await signInAs(page, user);
  await expect(heading(page, "A cloak")).toBeVisible();

  const headings = await recordHeadings(page);
  await page.reload();
  await expect(heading(page, "A cloak")).toBeVisible();
  // The sign-in page never appeared.
  expect(await headings()).toEqual(["Projects"]);
});

test("a visitor requests only what sign-in offers, and sees only sign-in", async ({ page, env }) => {
  const requests: string[] = [];
  page.on("request", (request) => request.url().startsWith(env.server.url) && requests.push(request.url()));
  const headings = await recordHeadings(page);
  await page.goto("/account");
  await expect(heading(page, "Sign in")).toBeVisible();
  expect(await headings()).toEqual(["Sign in"]);
  const offers = [`${env.server.url}/v1/providers`, `${env.server.url}/v1/session/passkey/options`];
  await expect.poll(() => [...new Set(requests)].sort()).toEqual(offers);
});

test("wrong password and unknown address look the same", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const { address } = await env.createUser();
  await page.goto("/sign-in");
  for (const candidate of [address, env.uniqueAddress()]) {
    await signIn(page, { address: candidate, password: "not this one" });
    await expect(page.getByRole("alert").filter({ hasText: /./ })).toHaveText(
      "Invalid email address or password.",
    );
    await expect(field(page, "Email address")).toHaveValue(candidate);
    await expect(field(page, "Password")).toHaveValue("not this one");
    await field(page, "Email address").fill("");
  }
});

test("sign-in leads back to the requested page", async ({ page, env }) => {
  const user = await env.createUser();
  await page.goto("/account");
  await expect(heading(page, "Sign in")).toBeVisible();
  await signIn(page, user);
  await expect(heading(page, "Your account")).toBeVisible();
  await expect(page).toHaveURL(/\/account$/);
});

test("sign-in does not redirect to other sites", async ({ page, env }) => {
  const user = await env.createUser();
  await page.goto("/sign-in?from=https://example.com/&next=//example.com");
  await signIn(page, user);
  await expect(heading(page, "Projects")).toBeVisible();
  expect(new URL(page.url()).origin).toBe(env.frontend.url);
});

test("a double click signs in once", async ({ page, env }) => {
  const user = await env.createUser();
  await page.goto("/sign-in");
  await field(page, "Email address").fill(user.address);
  await field(page, "Password").fill(user.password);
  const sent: string[] = [];
  page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
  await button(page, "Sign in").dblclick();
  await expect(heading(page, "Projects")).toBeVisible();
  expect(sent).toHaveLength(1);
});

test("the remember option extends the session", async ({ page, env, context }) => {
  const user = await env.createUser();
  const days = async () => {
    const [cookie] = await context.cookies(env.server.url);
    return ((cookie?.expires ?? 0) - Date.now() / 1000) / 86_400;
  };
  await signInAs(page, user);
  expect(await days()).toBeLessThan(31);
  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await page.getByLabel("Keep me signed in").check();
  await signIn(page, user);
  await expect(heading(page, "Projects")).toBeVisible();
  expect(await days()).toBeGreaterThan(100);
});

test("back and forward buttons work", async ({ page }) => {
  await page.goto("/sign-in");
  await linkInMain(page, "Sign up").click();
  await expect(heading(page, "Sign up")).toBeVisible();
  await page.goBack();
  await expect(heading(page, "Sign in")).toBeVisible();
  await page.goForward();
  await expect(heading(page, "Sign up")).toBeVisible();
});

test("an unknown path shows the not-found page", { tag: "@phone" }, async ({ page }) => {
  await page.goto("/no/such/page");
  await expect(heading(page, "Page not found")).toBeVisible();
  await linkInMain(page, "Go home").click();
  await expect(heading(page, "Sign in")).toBeVisible();
});
