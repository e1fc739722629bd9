import { CloakroomError, type Project } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { Dialog } from "../components/Dialog.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";

interface DeleteProjectProps {
  project: Project;
  onDeleted: () => void;
  onClose: () => void;
}

export function DeleteProject({ project, onDeleted, onClose }: DeleteProjectProps) {
  const client = useClient();
  const form = useForm(
    async (_, options) => {
      try {
        await client.deleteProject({ id: project.id }, options);
      } catch (error) {
        // Deleted in another tab already.
        if (!(CloakroomError.is(error) && error.code === "not_found")) {
          throw error;
        }
      }
    },
    { onSuccess: onDeleted },
  );
  return (
    <Dialog title="Delete this project?" onClose={onClose}>
      <p>
        <b>{project.title}</b> will be deleted. This cannot be undone.
      </p>
      <form onSubmit={form.onSubmit}>
        <FormAlert form={form} />
        <div className="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <SubmitButton form={form} className="danger">
            Delete project
          </SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
