import type { LinkedIdentity } from "@cloakroom/client/providers";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { ConfirmDialog } from "../components/ConfirmDialog.js";
import { unlessGone } from "../removal.js";
import { CurrentPassword } from "./CurrentPassword.js";

interface UnlinkAccountProps {
  identity: LinkedIdentity;
  /** Of the provider. */
  name: string;
  onUnlinked: () => void;
  onClose: () => void;
}

export function UnlinkAccount({ identity: { id, email }, name, onUnlinked, onClose }: UnlinkAccountProps) {
  const client = useClient();
  const user = useUser();
  const form = useForm(
    (fields: { password_challenge?: string }, options) =>
      unlessGone(client.unlinkIdentity({ id, ...fields }, options)),
    { onSuccess: onUnlinked },
  );
  return (
    <ConfirmDialog
      title={`Unlink ${name}?`}
      text={
        <>
          <b>{email ?? name}</b> will no longer sign you in. You will be signed out on all your other devices.
        </>
      }
      submit="Unlink account"
      form={form}
      onClose={onClose}
    >
      <CurrentPassword form={form} username={user.email_address} />
    </ConfirmDialog>
  );
}
