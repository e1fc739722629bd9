import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { ConfirmDialog } from "../components/ConfirmDialog.js";
import { unlessGone } from "../removal.js";
import { CurrentPassword } from "./CurrentPassword.js";

interface RemoveAuthenticatorProps {
  onDone: () => void;
  onClose: () => void;
}

export function RemoveAuthenticator({ onDone, onClose }: RemoveAuthenticatorProps) {
  const client = useClient();
  const user = useUser();
  const form = useForm(
    (fields: { password_challenge?: string }, options) => unlessGone(client.removeTotp(fields, options)),
    { onSuccess: onDone },
  );
  return (
    <ConfirmDialog
      title="Remove the authenticator app?"
      text="Signing in will take one step only. Your recovery codes will stop working."
      submit="Remove app"
      form={form}
      onClose={onClose}
    >
      <CurrentPassword form={form} username={user.email_address} />
    </ConfirmDialog>
  );
}
