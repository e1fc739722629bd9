import type { Passkey } from "@cloakroom/client/passkeys";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { ConfirmDialog } from "../components/ConfirmDialog.js";
import { unlessGone } from "../removal.js";
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
    (fields: { password_challenge?: string }, options) =>
      unlessGone(client.removePasskey({ id: passkey.id, ...fields }, options)),
    { onSuccess: onRemoved },
  );
  return (
    <ConfirmDialog
      title="Remove this passkey?"
      text={
        <>
          <b>{passkey.name}</b> will no longer sign you in. Sessions that it started go on.
        </>
      }
      submit="Remove passkey"
      form={form}
      onClose={onClose}
    >
      <CurrentPassword form={form} username={user.email_address} />
    </ConfirmDialog>
  );
}
