import { type ApiKey, CloakroomError } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { Dialog } from "../parts/Dialog.js";
import { FormAlert } from "../parts/FormAlert.js";
import { SubmitButton } from "../parts/SubmitButton.js";

interface RevokeKeyProps {
  apiKey: ApiKey;
  onRevoked: () => void;
  onClose: () => void;
}

export function RevokeKey({ apiKey, onRevoked, onClose }: RevokeKeyProps) {
  const client = useClient();
  const form = useForm(
    async (_, options) => {
      try {
        await client.revokeApiKey({ id: apiKey.id }, options);
      } catch (error) {
        // What is gone already is what was wanted.
        if (!(CloakroomError.is(error) && error.code === "not_found")) {
          throw error;
        }
      }
    },
    { onSuccess: onRevoked },
  );
  return (
    <Dialog title="Revoke this key?" onClose={onClose}>
      <p>
        Programs that use <b>{apiKey.name}</b> are refused from then on. It cannot be undone.
      </p>
      <form onSubmit={form.onSubmit}>
        <FormAlert form={form} />
        <div className="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <SubmitButton form={form} className="danger">
            Revoke key
          </SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
