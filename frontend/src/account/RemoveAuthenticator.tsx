import { CloakroomError } from "@cloakroom/client";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { Dialog } from "../components/Dialog.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { CurrentPassword } from "./CurrentPassword.js";

interface RemoveAuthenticatorProps {
  onDone: () => void;
  onClose: () => void;
}

export function RemoveAuthenticator({ onDone, onClose }: RemoveAuthenticatorProps) {
  const client = useClient();
  const user = useUser();
  const form = useForm(
    async (fields: { password_challenge?: string }, options) => {
      try {
        await client.removeTotp(fields, options);
      } catch (error) {
        // Removed in another tab already.
        if (!(CloakroomError.is(error) && error.code === "not_found")) {
          throw error;
        }
      }
    },
    { onSuccess: onDone },
  );
  return (
    <Dialog title="Remove the authenticator app?" onClose={onClose}>
      <p>Signing in will take one step only. Your recovery codes will stop working.</p>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <CurrentPassword form={form} username={user.email_address} />
        <div className="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <SubmitButton form={form} className="danger">
            Remove app
          </SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
