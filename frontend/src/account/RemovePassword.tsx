import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { Dialog } from "../components/Dialog.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { CurrentPassword } from "./CurrentPassword.js";

interface RemovePasswordProps {
  /** Called with what to tell the user. */
  onRemoved: (message: string) => void;
  onClose: () => void;
}

export function RemovePassword({ onRemoved, onClose }: RemovePasswordProps) {
  const client = useClient();
  const user = useUser();
  const form = useForm(
    (fields: { password_challenge?: string; keep_api_keys: boolean }, options) =>
      client.removePassword(fields, options),
    { onSuccess: ({ message }) => onRemoved(message) },
  );
  return (
    <Dialog title="Remove your password?" onClose={onClose}>
      <p>
        You will sign in with a passkey only, and be signed out on all your other devices. A password can be
        set again at any time.
      </p>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <CurrentPassword form={form} username={user.email_address} />
        <label className="check">
          <input type="checkbox" name="keep_api_keys" /> Keep my API keys; otherwise they are revoked
        </label>
        <div className="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <SubmitButton form={form} className="danger">
            Remove password
          </SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
