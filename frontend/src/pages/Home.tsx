import type { Project } from "@cloakroom/client";
import { CloakroomError } from "@cloakroom/client";
import { useClient, useUser } from "@cloakroom/client/react";
import { useState } from "react";
import { useFocusLater } from "../focus.js";
import { Title } from "../layout/Title.js";
import { useLoad } from "../load.js";
import { Empty } from "../parts/Empty.js";
import { Problem } from "../parts/Problem.js";
import { Skeleton } from "../parts/Skeleton.js";
import { DeleteProject } from "../projects/DeleteProject.js";
import { draftOf } from "../projects/drafts.js";
import { ProjectForm } from "../projects/ProjectForm.js";
import { ProjectList } from "../projects/ProjectList.js";

const PAGE = 20;
/** What is being written: a new project, or the one with that id. */
type Writing = "new" | number | null;

export function Home() {
  const client = useClient();
  const user = useUser();
  const { data, error, reload, change } = useLoad((signal) =>
    client.listProjects({ limit: PAGE }, { signal }),
  );
  const [writing, setWriting] = useState<Writing>(() => {
    const draft = draftOf(user.id);
    return draft ? (draft.project ?? "new") : null;
  });
  const [deleting, setDeleting] = useState<Project | null>(null);
  const [said, setSaid] = useState("");
  const [more, setMore] = useState<CloakroomError | "loading" | null>(null);
  const focus = useFocusLater();

  const projects = data?.projects ?? [];
  const empty = data !== undefined && projects.length === 0;

  function saved(project: Project) {
    const known = projects.some(({ id }) => id === project.id);
    change((last) => ({
      ...last,
      projects: known
        ? last.projects.map((each) => (each.id === project.id ? project : each))
        : [project, ...last.projects],
    }));
    setWriting(null);
    setSaid(`${project.title} is saved.`);
    focus(known ? `edit-${project.id}` : "new-project");
  }

  function deleted({ id, title }: Project) {
    const at = projects.findIndex((project) => project.id === id);
    const next = projects[at + 1] ?? projects[at - 1];
    change((last) => ({ ...last, projects: last.projects.filter((project) => project.id !== id) }));
    setDeleting(null);
    setSaid(`${title} is deleted.`);
    focus(next ? `project-${next.id}` : "new-project");
  }

  async function showMore(cursor: string) {
    setMore("loading");
    try {
      const page = await client.listProjects({ limit: PAGE, cursor });
      change((last) => ({ ...page, projects: [...last.projects, ...page.projects] }));
      setMore(null);
      focus(`project-${page.projects[0]?.id}`);
    } catch (failure) {
      if (!CloakroomError.is(failure)) {
        throw failure;
      }
      setMore(failure);
    }
  }

  const start = (
    <button
      type="button"
      id="new-project"
      className="main"
      onClick={() => {
        setSaid("");
        setWriting("new");
      }}
    >
      New project
    </button>
  );

  return (
    <div className="page">
      <div className="heading">
        <Title>Projects</Title>
        {!empty && data && writing !== "new" && start}
      </div>
      <div className="unseen" role="status">
        {said}
      </div>
      {writing === "new" && (
        <ProjectForm
          onSaved={saved}
          onCancel={() => {
            setWriting(null);
            focus("new-project");
          }}
        />
      )}
      {error && <Problem error={error} retry={reload} />}
      {!data && !error && <Skeleton rows={3} />}
      {empty && writing !== "new" && (
        <Empty title="No projects yet" action={start}>
          The hooks are free. Hang up your first one.
        </Empty>
      )}
      {projects.length > 0 && (
        <ProjectList
          projects={projects}
          editing={typeof writing === "number" ? writing : null}
          onEdit={({ id }) => setWriting(id)}
          onSaved={saved}
          onCancel={({ id }) => {
            setWriting(null);
            focus(`edit-${id}`);
          }}
          onDelete={setDeleting}
        />
      )}
      {more instanceof Error && <Problem error={more} retry={() => void showMore(data?.next_cursor ?? "")} />}
      {data?.next_cursor && !(more instanceof Error) && (
        <button
          type="button"
          className="more"
          aria-disabled={more === "loading"}
          data-busy={more === "loading" || undefined}
          onClick={() => more || void showMore(data.next_cursor ?? "")}
        >
          Show more
        </button>
      )}
      {deleting && (
        <DeleteProject
          project={deleting}
          onDeleted={() => deleted(deleting)}
          onClose={() => setDeleting(null)}
        />
      )}
    </div>
  );
}
