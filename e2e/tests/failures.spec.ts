import { addProject, button, field, heading, link, signIn, signInAs } from "../support/page.js";
import { expect, test } from "../support/test.js";

const ENDED = "Your session has ended. Sign in to continue.";

test("an unsaved form survives an expired session", { tag: "@phone" }, async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  await signInAs(page, user);
  await addProject(page, "A cloak");
  await button(page, "New project").click();
  await field(page, "Title").fill("A hat");
  await page.getByLabel("Description").fill("of felt");
  await user.call("DELETE", "/v1/sessions?except=current");
  await button(page, "Save").click();

  await expect(heading(page, "Sign in")).toBeVisible();
  await expect(page.getByText(ENDED)).toBeVisible();
  await signIn(page, user);
  await expect(heading(page, "A cloak")).toBeVisible();
  await expect(field(page, "Title")).toHaveValue("A hat");
  await expect(page.getByLabel("Description")).toHaveValue("of felt");
  await button(page, "Save").click();
  await expect(heading(page, "A hat")).toBeVisible();
});

test("an unsaved form is not shown to the next user", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const [first, second] = [await env.createUser(), await env.createUser()];
  await signInAs(page, first);
  await button(page, "New project").click();
  await field(page, "Title").fill("A hat");
  await first.call("DELETE", "/v1/sessions?except=current");
  await button(page, "Save").click();
  await expect(page.getByText(ENDED)).toBeVisible();
  await signIn(page, second);
  await expect(heading(page, "No projects yet")).toBeVisible();
  await expect(field(page, "Title")).toBeHidden();
});

test("a reload detects an ended session once", async ({ page, env, monitor }) => {
  monitor.expectStatus(401);
  const user = await env.createUser();
  await signInAs(page, user);
  await user.call("DELETE", "/v1/sessions?except=current");
  await page.reload();
  await expect(page.getByText(ENDED)).toBeVisible();

  // From now on the browser is signed out: it requests no session, only what the sign-in page offers.
  const requests: string[] = [];
  page.on("request", (request) => request.url().startsWith(env.server.url) && requests.push(request.url()));
  await page.reload();
  await expect(heading(page, "Sign in")).toBeVisible();
  expect(requests.filter((url) => !/\/v1\/(session\/passkey\/options|providers)$/.test(url))).toEqual([]);
});

test("a form keeps its input offline and can be sent later", async ({ page, env, context, monitor }) => {
  await signInAs(page, await env.createUser());
  await button(page, "New project").click();
  await field(page, "Title").fill("A hat");

  monitor.expectMessage(/net::ERR_INTERNET_DISCONNECTED/);
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

test("failed loads are repeated when back online", async ({ page, env, context, monitor }) => {
  await signInAs(page, await env.createUser());
  monitor.expectMessage(/net::ERR_INTERNET_DISCONNECTED/);
  await context.setOffline(true);
  await link(page, "Your account").click();
  await expect(page.getByRole("alert").filter({ hasText: "You are offline." }).first()).toBeVisible();
  await context.setOffline(false);
  await expect(page.getByText("This device")).toBeVisible();
  await expect(page.getByRole("alert").filter({ hasText: /./ })).toBeHidden();
});

test("an unreachable server at page load can be retried", { tag: "@phone" }, async ({
  page,
  env,
  monitor,
}) => {
  await signInAs(page, await env.createUser());
  await addProject(page, "A cloak");
  monitor.expectMessage(/net::ERR_/);
  await env.server.pause();
  try {
    await page.reload();
    await expect(heading(page, "Cannot reach the server")).toBeVisible();
    await button(page, "Try again").click();
    await expect(heading(page, "Cannot reach the server")).toBeVisible();
  } finally {
    await env.server.restart();
  }
  await button(page, "Try again").click();
  await expect(heading(page, "A cloak")).toBeVisible();
});

test("an unreachable server on submit is shown in the form", async ({ page, env, monitor }) => {
  await signInAs(page, await env.createUser());
  await button(page, "New project").click();
  await field(page, "Title").fill("A cloak");
  monitor.expectMessage(/net::ERR_/);
  await env.server.pause();
  try {
    await button(page, "Save").click();
    await expect(page.getByRole("alert").filter({ hasText: "The server cannot be reached." })).toBeFocused();
    await expect(field(page, "Title")).toHaveValue("A cloak");
  } finally {
    await env.server.restart();
  }
  await button(page, "Save").click();
  await expect(heading(page, "A cloak")).toBeVisible();
});

test("a busy server is retried after Retry-After", async ({ page, env, monitor }) => {
  monitor.expectStatus(503);
  await page.clock.install();
  const user = await env.createUser();
  await user.call("POST", "/v1/projects", { title: "A cloak" });
  let busy = true;
  await page.route(`${env.server.url}/v1/projects?*`, (route) =>
    busy
      ? route.fulfill({
          status: 503,
          headers: {
            "Access-Control-Allow-Origin": env.frontend.url,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": "Retry-After",
            "Retry-After": "7",
          },
          json: { error: "The server is busy", code: "unavailable", request_id: "1" },
        })
      : route.continue(),
  );
  await signInAs(page, user);
  const retry = button(page, "Try again");
  await expect(page.getByRole("alert").filter({ hasText: "The server is busy." })).toBeVisible();
  await expect(retry).toBeDisabled();
  busy = false;
  await page.clock.fastForward("00:08");
  await expect(retry).toBeEnabled();
  await retry.click();
  await expect(heading(page, "A cloak")).toBeVisible();
});

test("a proxy's error page is shown as an error", async ({ page, env, monitor }) => {
  monitor.expectStatus(502);
  await page.goto("/sign-in");
  await page.route(`${env.server.url}/v1/session`, (route) =>
    route.fulfill({
      status: 502,
      headers: {
        "Access-Control-Allow-Origin": env.frontend.url,
        "Access-Control-Allow-Credentials": "true",
      },
      contentType: "text/html",
      body: "<h1>Bad gateway</h1>",
    }),
  );
  await signIn(page, { address: env.uniqueAddress(), password: "whatever it is" });
  const alert = page.getByRole("alert").filter({ hasText: /./ });
  await expect(alert).toBeFocused();
  await expect(alert).not.toContainText("<");
});
