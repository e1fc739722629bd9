import { addProject, button, enter, expectWrong, field, heading } from "../support/page.js";
import { expect, test } from "../support/test.js";

test("a project is made, changed and deleted, and the focus goes along", { tag: "@phone" }, async ({
  page,
  stage,
}) => {
  await enter(page, await stage.person());
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

test("a project without a title, and one with too long a title, are told at the field", async ({
  page,
  stage,
  watch,
}) => {
  watch.expects(422);
  await enter(page, await stage.person());
  await button(page, "New project").click();
  await button(page, "Save").click();
  await expectWrong(field(page, "Title"), "can't be blank");
  await expect(field(page, "Title")).toBeFocused();
  await field(page, "Title").fill("x".repeat(256));
  await button(page, "Save").click();
  await expectWrong(field(page, "Title"), "is too long");
  await expect(field(page, "Title")).toHaveValue("x".repeat(256));
  await page.keyboard.press("Escape");
  await expect(field(page, "Title")).toBeHidden();
  await expect(button(page, "New project")).toBeFocused();
});

test("what a title says is text", async ({ page, stage }) => {
  const person = await stage.person();
  const title = '<img src=x onerror="document.title=1"> & </article>';
  await person.call("POST", "/v1/projects", { title });
  await enter(page, person);
  await expect(heading(page, title)).toBeVisible();
});

test("many projects come page by page, none twice and none left out", async ({ page, stage }) => {
  const person = await stage.person();
  const titles = Array.from({ length: 60 }, (_, at) => `Coat ${at + 1}`);
  for (const title of titles) {
    await person.call("POST", "/v1/projects", { title });
  }
  await enter(page, person);
  const shown = page.getByRole("article").getByRole("heading");
  await expect(shown).toHaveCount(20);
  await button(page, "Show more").click();
  await expect(shown).toHaveCount(40);
  await expect(heading(page, "Coat 40")).toBeFocused();
  await button(page, "Show more").click();
  await expect(shown).toHaveText([...titles].reverse());
  await expect(button(page, "Show more")).toBeHidden();
});

test("everybody sees their own", async ({ page, stage }) => {
  const [one, other] = [await stage.person(), await stage.person()];
  await one.call("POST", "/v1/projects", { title: "A cloak" });
  await other.call("POST", "/v1/projects", { title: "A hat" });
  await enter(page, one);
  await expect(heading(page, "A cloak")).toBeVisible();
  await button(page, "Sign out").click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await enter(page, other);
  await expect(heading(page, "A hat")).toBeVisible();
  await expect(heading(page, "A cloak")).toBeHidden();
});

test("what another device deleted is told, and can be deleted again", async ({ page, stage, watch }) => {
  watch.expects(404);
  const person = await stage.person();
  const { project } = (await person.call("POST", "/v1/projects", { title: "A cloak" })) as {
    project: { id: number };
  };
  await enter(page, person);
  await button(page, "Edit A cloak").click();
  await person.call("DELETE", `/v1/projects/${project.id}`);
  await button(page, "Save").click();
  await expect(page.getByRole("alert").filter({ hasText: /./ })).toBeVisible();
  await button(page, "Cancel").click();
  await button(page, "Delete A cloak").click();
  await button(page, "Delete project").click();
  await expect(heading(page, "No projects yet")).toBeVisible();
});
