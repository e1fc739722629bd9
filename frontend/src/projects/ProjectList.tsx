import type { Project } from "@cloakroom/client";
import { Timestamp } from "../components/Timestamp.js";
import { ProjectForm } from "./ProjectForm.js";

interface ProjectListProps {
  projects: Project[];
  /** The id of the project whose form is open. */
  editing: number | null;
  onEdit: (project: Project) => void;
  onSaved: (project: Project) => void;
  onCancel: (project: Project) => void;
  onDelete: (project: Project) => void;
}

export function ProjectList({ projects, editing, onEdit, onSaved, onCancel, onDelete }: ProjectListProps) {
  return (
    <ul className="rows">
      {projects.map((project) => (
        <li key={project.id}>
          {editing === project.id ? (
            <ProjectForm project={project} onSaved={onSaved} onCancel={() => onCancel(project)} />
          ) : (
            <article className="card row">
              <div className="row-text">
                <h2 id={`project-${project.id}`} tabIndex={-1}>
                  {project.title}
                </h2>
                {project.description && <p className="text">{project.description}</p>}
                <p className="meta">
                  {project.updated_at === project.created_at ? "Created" : "Changed"}{" "}
                  <Timestamp at={project.updated_at} />
                </p>
              </div>
              <div className="actions">
                <button type="button" id={`edit-${project.id}`} onClick={() => onEdit(project)}>
                  Edit <span className="visually-hidden">{project.title}</span>
                </button>
                <button type="button" className="plain soft" onClick={() => onDelete(project)}>
                  Delete <span className="visually-hidden">{project.title}</span>
                </button>
              </div>
            </article>
          )}
        </li>
      ))}
    </ul>
  );
}
