import type { Project } from "@cloakroom/client";
import { CloakroomError } from "@cloakroom/client";
import { useClient, useUser } from "@cloakroom/client/react";
import { useState } from "react";
import { Navigate } from "react-router";
import { EmptyState } from "../components/EmptyState.js";
import { LoadError } from "../components/LoadError.js";
import { Skeleton } from "../components/Skeleton.js";
import { PageTitle } from "../layout/PageTitle.js";
import { DeleteProject } from "../projects/DeleteProject.js";
import { getDraft } from "../projects/drafts.js";
import { ProjectForm } from "../projects/ProjectForm.js";
import { ProjectList } from "../projects/ProjectList.js";
import { useFocusAfterRender } from "../useFocusAfterRender.js";
import { useLoad } from "../useLoad.js";

const PAGE_SIZE = 20;
/** The open form: that of a new project, or of the project with that id. */
type Editing = "new" | number | null;

export function Home() {
  const client = useClient();
  const user = useUser();
  const { data, error, reload, update } = useLoad((signal) =>
    client.listProjects({ limit: PAGE_SIZE }, { signal }),
  );
  const [editing, setEditing] = useState<Editing>(() => {
    const draft = getDraft(user.id);
    return draft ? (draft.project ?? "new") : null;
  });
  const [deleting, setDeleting] = useState<Project | null>(null);
  const [notice, setNotice] = useState("");
  const [morePages, setMorePages] = useState<CloakroomError | "loading" | null>(null);
  const focus = useFocusAfterRender();

  const projects = data?.projects ?? [];
  const empty = data !== undefined && projects.length === 0;

  function onSaved(project: Project) {
    const isKnown = projects.some(({ id }) => id === project.id);
    update((last) => ({
      ...last,
      projects: isKnown
        ? last.projects.map((each) => (each.id === project.id ? project : each))
        : [project, ...last.projects],
    }));
    setEditing(null);
    setNotice(`${project.title} is saved.`);
    focus(isKnown ? `edit-${project.id}` : "new-project");
  }

  function onDeleted({ id, title }: Project) {
    const at = projects.findIndex((project) => project.id === id);
    const next = projects[at + 1] ?? projects[at - 1];
    update((last) => ({ ...last, projects: last.projects.filter((project) => project.id !== id) }));
    setDeleting(null);
    setNotice(`${title} is deleted.`);
    focus(next ? `project-${next.id}` : "new-project");
  }

  async function showMore(cursor: string) {
    setMorePages("loading");
    try {
      const page = await client.listProjects({ limit: PAGE_SIZE, cursor });
      update((last) => ({ ...page, projects: [...last.projects, ...page.projects] }));
      setMorePages(null);
      focus(`project-${page.projects[0]?.id}`);
    } catch (failure) {
      if (!CloakroomError.is(failure)) {
        throw failure;
      }
      setMorePages(failure);
    }
  }

  if (error?.code === "not_found") {
    // The server's sample is off (`samples.enabled`), as in production by default.
    return <Navigate to="/account" replace />;
  }

  const newProjectButton = (
    <button
      type="button"
      id="new-project"
      className="main"
      onClick={() => {
        setNotice("");
        setEditing("new");
      }}
    >
      New project
    </button>
  );

  return (
    <div className="page">
      <div className="heading">
        <PageTitle>Projects</PageTitle>
        {!empty && data && editing !== "new" && newProjectButton}
      </div>
      <div className="visually-hidden" role="status">
        {notice}
      </div>
      {editing === "new" && (
        <ProjectForm
          onSaved={onSaved}
          onCancel={() => {
            setEditing(null);
            focus("new-project");
          }}
        />
      )}
      {error && <LoadError error={error} retry={reload} />}
      {!data && !error && <Skeleton rows={3} />}
      {empty && editing !== "new" && (
        <EmptyState title="No projects yet" action={newProjectButton}>
          Create your first one.
        </EmptyState>
      )}
      {projects.length > 0 && (
        <ProjectList
          projects={projects}
          editing={typeof editing === "number" ? editing : null}
          onEdit={({ id }) => setEditing(id)}
          onSaved={onSaved}
          onCancel={({ id }) => {
            setEditing(null);
            focus(`edit-${id}`);
          }}
          onDelete={setDeleting}
        />
      )}
      {morePages instanceof Error && (
        <LoadError error={morePages} retry={() => void showMore(data?.next_cursor ?? "")} />
      )}
      {data?.next_cursor && !(morePages instanceof Error) && (
        <button
          type="button"
          className="more"
          aria-disabled={morePages === "loading"}
          data-busy={morePages === "loading" || undefined}
          onClick={() => morePages || void showMore(data.next_cursor ?? "")}
        >
          Show more
        </button>
      )}
      {deleting && (
        <DeleteProject
          project={deleting}
          onDeleted={() => onDeleted(deleting)}
          onClose={() => setDeleting(null)}
        />
      )}
    </div>
  );
}
