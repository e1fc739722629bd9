import type { Project } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { ConfirmDialog } from "../components/ConfirmDialog.js";
import { unlessGone } from "../removal.js";

interface DeleteProjectProps {
  project: Project;
  onDeleted: () => void;
  onClose: () => void;
}

export function DeleteProject({ project, onDeleted, onClose }: DeleteProjectProps) {
  const client = useClient();
  const form = useForm((_, options) => unlessGone(client.deleteProject({ id: project.id }, options)), {
    onSuccess: onDeleted,
  });
  return (
    <ConfirmDialog
      title="Delete this project?"
      text={
        <>
          <b>{project.title}</b> will be deleted. This cannot be undone.
        </>
      }
      submit="Delete project"
      form={form}
      onClose={onClose}
    />
  );
}
