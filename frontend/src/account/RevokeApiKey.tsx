import { type ApiKey, CloakroomError } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { Dialog } from "../components/Dialog.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";

interface RevokeApiKeyProps {
  apiKey: ApiKey;
  onRevoked: () => void;
  onClose: () => void;
}

export function RevokeApiKey({ apiKey, onRevoked, onClose }: RevokeApiKeyProps) {
  const client = useClient();
  const form = useForm(
    async (_, options) => {
      try {
        await client.revokeApiKey({ id: apiKey.id }, options);
      } catch (error) {
        // Revoked in another tab already.
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
        Programs that use <b>{apiKey.name}</b> will be refused. This cannot be undone.
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
