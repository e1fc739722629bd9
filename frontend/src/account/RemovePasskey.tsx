import { CloakroomError } from "@cloakroom/client";
import type { Passkey } from "@cloakroom/client/passkeys";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { Dialog } from "../components/Dialog.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { CurrentPassword } from "./CurrentPassword.js";

interface RemovePasskeyProps {
  passkey: Passkey;
  onRemoved: () => void;
  onClose: () => void;
}

export function RemovePasskey({ passkey, onRemoved, onClose }: RemovePasskeyProps) {
  const client = useClient();
  const user = useUser();
  const form = useForm(
    async (fields: { password_challenge?: string }, options) => {
      try {
        await client.removePasskey({ id: passkey.id, ...fields }, options);
      } catch (error) {
        // Removed in another tab already.
        if (!(CloakroomError.is(error) && error.code === "not_found")) {
          throw error;
        }
      }
    },
    { onSuccess: onRemoved },
  );
  return (
    <Dialog title="Remove this passkey?" onClose={onClose}>
      <p>
        <b>{passkey.name}</b> will no longer sign you in. Sessions that it started go on.
      </p>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <CurrentPassword form={form} username={user.email_address} />
        <div className="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <SubmitButton form={form} className="danger">
            Remove passkey
          </SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
