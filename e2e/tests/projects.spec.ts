import { addProject, button, expectFieldError, field, heading, signInAs } from "../support/page.js";
import { expect, test } from "../support/test.js";

test("creates, edits and deletes a project and moves the focus", { tag: "@phone" }, async ({ page, env }) => {
  await signInAs(page, await env.createUser());
  await expect(heading(page, "No projects yet")).toBeVisible();
  await addProject(page, "A cloak", "black, with a hood");
  await expect(button(page, "New project")).toBeFocused();
  await expect(page.getByText("black, with a hood")).toBeVisible();
  await expect(heading(page, "No projects yet")).toBeHidden();
  await addProject(page, "A hat");
  // The newest comes first.
  await expect(page.getByRole("article").getByRole("heading")).toHaveText(["A hat", "A cloak"]);

  await button(page, "Edit A cloak").click();
  await expect(field(page, "Title")).toBeFocused();
  await expect(field(page, "Title")).toHaveValue("A cloak");
  await expect(page.getByLabel("Description")).toHaveValue("black, with a hood");
  await field(page, "Title").fill("A red cloak");
  await page.getByLabel("Description").fill("");
  await button(page, "Save").click();
  await expect(heading(page, "A red cloak")).toBeVisible();
  await expect(button(page, "Edit A red cloak")).toBeFocused();
  await expect(page.getByText("black, with a hood")).toBeHidden();

  await button(page, "Delete A hat").click();
  const dialog = page.getByRole("dialog", { name: "Delete this project?" });
  await expect(button(dialog, "Cancel")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(button(page, "Delete A hat")).toBeFocused();
  await button(page, "Delete A hat").click();
  await button(dialog, "Delete project").click();
  await expect(heading(page, "A hat")).toBeHidden();
  await expect(heading(page, "A red cloak")).toBeFocused();

  await page.reload();
  await expect(heading(page, "A red cloak")).toBeVisible();
  await expect(heading(page, "A hat")).toBeHidden();
  await button(page, "Delete A red cloak").click();
  await button(dialog, "Delete project").click();
  await expect(heading(page, "No projects yet")).toBeVisible();
  await expect(button(page, "New project")).toBeFocused();
});

test("a blank or too long title is a field error", async ({ page, env, monitor }) => {
  monitor.expectStatus(422);
  await signInAs(page, await env.createUser());
  await button(page, "New project").click();
  await button(page, "Save").click();
  await expectFieldError(field(page, "Title"), "can't be blank");
  await expect(field(page, "Title")).toBeFocused();
  await field(page, "Title").fill("x".repeat(256));
  await button(page, "Save").click();
  await expectFieldError(field(page, "Title"), "is too long");
  await expect(field(page, "Title")).toHaveValue("x".repeat(256));
  await page.keyboard.press("Escape");
  await expect(field(page, "Title")).toBeHidden();
  await expect(button(page, "New project")).toBeFocused();
});

test("a title is rendered as text, not HTML", async ({ page, env }) => {
  const user = await env.createUser();
  const title = '<img src=x onerror="document.title=1"> & </article>';
  await user.call("POST", "/v1/projects", { title });
  await signInAs(page, user);
  await expect(heading(page, title)).toBeVisible();
});

test("many projects are paged without gaps or duplicates", async ({ page, env }) => {
  const user = await env.createUser();
  const titles = Array.from({ length: 60 }, (_, at) => `Coat ${at + 1}`);
  for (const title of titles) {
    await user.call("POST", "/v1/projects", { title });
  }
  await signInAs(page, user);
  const shown = page.getByRole("article").getByRole("heading");
  await expect(shown).toHaveCount(20);
  await button(page, "Show more").click();
  await expect(shown).toHaveCount(40);
  await expect(heading(page, "Coat 40")).toBeFocused();
  await button(page, "Show more").click();
  await expect(shown).toHaveText([...titles].reverse());
  await expect(button(page, "Show more")).toBeHidden();
});

test("users see their own projects only", async ({ page, env }) => {
  const [first, second] = [await env.createUser(), await env.createUser()];
  await first.call("POST", "/v1/projects", { title: "A cloak" });
  await second.call("POST", "/v1/projects", { title: "A hat" });
  await signInAs(page, first);
  await expect(heading(page, "A cloak")).toBeVisible();
  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await signInAs(page, second);
  await expect(heading(page, "A hat")).toBeVisible();
  await expect(heading(page, "A cloak")).toBeHidden();
});

test("a project deleted elsewhere can be deleted again", async ({ page, env, monitor }) => {
  monitor.expectStatus(404);
  const user = await env.createUser();
  const { project } = (await user.call("POST", "/v1/projects", { title: "A cloak" })) as {
    project: { id: number };
  };
  await signInAs(page, user);
  await button(page, "Edit A cloak").click();
  await user.call("DELETE", `/v1/projects/${project.id}`);
  await button(page, "Save").click();
  await expect(page.getByRole("alert").filter({ hasText: /./ })).toBeVisible();
  await button(page, "Cancel").click();
  await button(page, "Delete A cloak").click();
  await button(page, "Delete project").click();
  await expect(heading(page, "No projects yet")).toBeVisible();
});
