import type { Project } from "@cloakroom/client";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { type FormEvent, useEffect, useRef } from "react";
import { Area, Field } from "../parts/Field.js";
import { FormAlert } from "../parts/FormAlert.js";
import { SubmitButton } from "../parts/SubmitButton.js";
import { draftOf, dropDraft, keepDraft } from "./drafts.js";

interface ProjectFormProps {
  /** The one to change; a new one without it. */
  project?: Project;
  onSaved: (project: Project) => void;
  onCancel: () => void;
}

export function ProjectForm({ project, onSaved, onCancel }: ProjectFormProps) {
  const client = useClient();
  const user = useUser();
  const title = useRef<HTMLInputElement>(null);
  const kept = draftOf(user.id);
  const draft = kept?.project === (project?.id ?? null) ? kept : undefined;

  const form = useForm(
    ({ title, description }: { title: string; description: string }, options) => {
      const fields = { title, description: description || null };
      return project
        ? client.updateProject({ id: project.id, ...fields }, options)
        : client.createProject(fields, options);
    },
    {
      onSuccess: (saved) => {
        dropDraft(user.id);
        onSaved(saved.project);
      },
    },
  );

  useEffect(() => title.current?.focus(), []);

  function remember(event: FormEvent<HTMLFormElement>) {
    const data = new FormData(event.currentTarget);
    keepDraft(user.id, {
      project: project?.id ?? null,
      title: String(data.get("title")),
      description: String(data.get("description")),
    });
  }

  function cancel() {
    dropDraft(user.id);
    onCancel();
  }

  return (
    <form
      className="card"
      aria-label={project ? `Edit ${project.title}` : "New project"}
      onSubmit={form.onSubmit}
      onInput={remember}
      onKeyDown={(event) => event.key === "Escape" && cancel()}
      noValidate
    >
      <FormAlert form={form} />
      <Field
        form={form}
        ref={title}
        name="title"
        label="Title"
        autoComplete="off"
        defaultValue={draft?.title ?? project?.title}
      />
      <Area
        form={form}
        name="description"
        label="Description"
        defaultValue={draft?.description ?? project?.description ?? ""}
      />
      <div className="actions">
        <SubmitButton form={form}>Save</SubmitButton>
        <button type="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
