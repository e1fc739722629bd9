import type { Project } from "@cloakroom/client";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { type FormEvent, useEffect, useRef } from "react";
import { Field, TextArea } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { deleteDraft, getDraft, saveDraft } from "./drafts.js";

interface ProjectFormProps {
  /** The project to edit; undefined to create one. */
  project?: Project;
  onSaved: (project: Project) => void;
  onCancel: () => void;
}

export function ProjectForm({ project, onSaved, onCancel }: ProjectFormProps) {
  const client = useClient();
  const user = useUser();
  const title = useRef<HTMLInputElement>(null);
  const stored = getDraft(user.id);
  const draft = stored?.project === (project?.id ?? null) ? stored : undefined;

  const form = useForm(
    ({ title, description }: { title: string; description: string }, options) => {
      const fields = { title, description: description || null };
      return project
        ? client.updateProject({ id: project.id, ...fields }, options)
        : client.createProject(fields, options);
    },
    {
      onSuccess: (saved) => {
        deleteDraft(user.id);
        onSaved(saved.project);
      },
    },
  );

  useEffect(() => title.current?.focus(), []);

  function storeDraft(event: FormEvent<HTMLFormElement>) {
    const data = new FormData(event.currentTarget);
    saveDraft(user.id, {
      project: project?.id ?? null,
      title: String(data.get("title")),
      description: String(data.get("description")),
    });
  }

  function cancel() {
    deleteDraft(user.id);
    onCancel();
  }

  return (
    <form
      className="card"
      aria-label={project ? `Edit ${project.title}` : "New project"}
      onSubmit={form.onSubmit}
      onInput={storeDraft}
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
      <TextArea
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
