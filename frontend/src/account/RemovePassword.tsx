import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { ConfirmDialog } from "../components/ConfirmDialog.js";
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
    <ConfirmDialog
      title="Remove your password?"
      text="You will sign in with a passkey only, and be signed out on all your other devices. A password can be set again at any time."
      submit="Remove password"
      form={form}
      onClose={onClose}
    >
      <CurrentPassword form={form} username={user.email_address} />
      <label className="check">
        <input type="checkbox" name="keep_api_keys" /> Keep my API keys; otherwise they are revoked
      </label>
    </ConfirmDialog>
  );
}
