import { addProject, button, enter, field, heading, link, signIn } from "../support/page.js";
import { expect, test } from "../support/test.js";

const ENDED = "Your session has ended. Sign in to go on.";

test("a session that ends in mid-use leads back to what was being written", { tag: "@phone" }, async ({
  page,
  stage,
  watch,
}) => {
  watch.expects(401);
  const person = await stage.person();
  await enter(page, person);
  await addProject(page, "A cloak");
  await button(page, "New project").click();
  await field(page, "Title").fill("A hat");
  await page.getByLabel("Description").fill("of felt");
  await person.call("DELETE", "/v1/sessions?except=current");
  await button(page, "Save").click();

  await expect(heading(page, "Sign in")).toBeVisible();
  await expect(page.getByText(ENDED)).toBeVisible();
  await signIn(page, person);
  await expect(heading(page, "A cloak")).toBeVisible();
  await expect(field(page, "Title")).toHaveValue("A hat");
  await expect(page.getByLabel("Description")).toHaveValue("of felt");
  await button(page, "Save").click();
  await expect(heading(page, "A hat")).toBeVisible();
});

test("what somebody was writing is not shown to whoever signs in next", async ({ page, stage, watch }) => {
  watch.expects(401);
  const [one, other] = [await stage.person(), await stage.person()];
  await enter(page, one);
  await button(page, "New project").click();
  await field(page, "Title").fill("A hat");
  await one.call("DELETE", "/v1/sessions?except=current");
  await button(page, "Save").click();
  await expect(page.getByText(ENDED)).toBeVisible();
  await signIn(page, other);
  await expect(heading(page, "No projects yet")).toBeVisible();
  await expect(field(page, "Title")).toBeHidden();
});

test("a session that ended meanwhile is seen at a reload, once", async ({ page, stage, watch }) => {
  watch.expects(401);
  const person = await stage.person();
  await enter(page, person);
  await person.call("DELETE", "/v1/sessions?except=current");
  await page.reload();
  await expect(page.getByText(ENDED)).toBeVisible();

  // From now on nobody is signed in here, and nothing is asked.
  const asked: string[] = [];
  page.on("request", (request) => request.url().startsWith(stage.house.url) && asked.push(request.url()));
  await page.reload();
  await expect(heading(page, "Sign in")).toBeVisible();
  expect(asked).toEqual([]);
});

test("offline in mid-use: what is typed stays, and goes when the network is back", async ({
  page,
  stage,
  context,
  watch,
}) => {
  await enter(page, await stage.person());
  await button(page, "New project").click();
  await field(page, "Title").fill("A hat");

  watch.allow(/net::ERR_INTERNET_DISCONNECTED/);
  await context.setOffline(true);
  const banner = page.getByRole("status").filter({ hasText: "You are offline." });
  await expect(banner).toBeVisible();
  await button(page, "Save").click();
  await expect(page.getByRole("alert").filter({ hasText: "You are offline." })).toBeFocused();
  await expect(field(page, "Title")).toHaveValue("A hat");

  await context.setOffline(false);
  await expect(banner).toBeHidden();
  await button(page, "Save").click();
  await expect(heading(page, "A hat")).toBeVisible();
});

test("what could not be loaded offline is loaded when the network is back", async ({
  page,
  stage,
  context,
  watch,
}) => {
  await enter(page, await stage.person());
  watch.allow(/net::ERR_INTERNET_DISCONNECTED/);
  await context.setOffline(true);
  await link(page, "Your account").click();
  await expect(page.getByRole("alert").filter({ hasText: "You are offline." }).first()).toBeVisible();
  await context.setOffline(false);
  await expect(page.getByText("This device")).toBeVisible();
  await expect(page.getByRole("alert").filter({ hasText: /./ })).toBeHidden();
});

test("a server that is away at the start is told, and found again", { tag: "@phone" }, async ({
  page,
  stage,
  watch,
}) => {
  await enter(page, await stage.person());
  await addProject(page, "A cloak");
  watch.allow(/net::ERR_/);
  await stage.house.pause();
  try {
    await page.reload();
    await expect(heading(page, "Cannot reach the server")).toBeVisible();
    await button(page, "Try again").click();
    await expect(heading(page, "Cannot reach the server")).toBeVisible();
  } finally {
    await stage.house.restart();
  }
  await button(page, "Try again").click();
  await expect(heading(page, "A cloak")).toBeVisible();
});

test("a server that goes away in mid-use is told where it was needed", async ({ page, stage, watch }) => {
  await enter(page, await stage.person());
  await button(page, "New project").click();
  await field(page, "Title").fill("A cloak");
  watch.allow(/net::ERR_/);
  await stage.house.pause();
  try {
    await button(page, "Save").click();
    await expect(page.getByRole("alert").filter({ hasText: "The server cannot be reached." })).toBeFocused();
    await expect(field(page, "Title")).toHaveValue("A cloak");
  } finally {
    await stage.house.restart();
  }
  await button(page, "Save").click();
  await expect(heading(page, "A cloak")).toBeVisible();
});

test("a busy server is asked again when it said, not before", async ({ page, stage, watch }) => {
  watch.expects(503);
  await page.clock.install();
  const person = await stage.person();
  await person.call("POST", "/v1/projects", { title: "A cloak" });
  let busy = true;
  await page.route(`${stage.house.url}/v1/projects?*`, (route) =>
    busy
      ? route.fulfill({
          status: 503,
          headers: {
            "Access-Control-Allow-Origin": stage.front.url,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": "Retry-After",
            "Retry-After": "7",
          },
          json: { error: "The server is busy", code: "unavailable", request_id: "1" },
        })
      : route.continue(),
  );
  await enter(page, person);
  const retry = button(page, "Try again");
  await expect(page.getByRole("alert").filter({ hasText: "The server is busy." })).toBeVisible();
  await expect(retry).toBeDisabled();
  busy = false;
  await page.clock.fastForward("00:08");
  await expect(retry).toBeEnabled();
  await retry.click();
  await expect(heading(page, "A cloak")).toBeVisible();
});

test("a proxy's page in place of a reply is told as an error", async ({ page, stage, watch }) => {
  watch.expects(502);
  await page.goto("/sign-in");
  await page.route(`${stage.house.url}/v1/session`, (route) =>
    route.fulfill({
      status: 502,
      headers: {
        "Access-Control-Allow-Origin": stage.front.url,
        "Access-Control-Allow-Credentials": "true",
      },
      contentType: "text/html",
      body: "<h1>Bad gateway</h1>",
    }),
  );
  await signIn(page, { address: stage.address(), password: "whatever it is" });
  const alert = page.getByRole("alert").filter({ hasText: /./ });
  await expect(alert).toBeFocused();
  await expect(alert).not.toContainText("<");
});
