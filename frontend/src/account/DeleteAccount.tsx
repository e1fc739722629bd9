import { signalAccepted } from "@cloakroom/client/passkeys";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { useState } from "react";
import { ConfirmDialog } from "../components/ConfirmDialog.js";
import { CurrentPassword } from "./CurrentPassword.js";
import { Section } from "./Section.js";
import { useSignInMethods } from "./SignInMethodsContext.js";

export function DeleteAccount() {
  const [confirming, setConfirming] = useState(false);
  return (
    <Section
      id="delete"
      title="Delete account"
      lead="Deletes your projects, sessions and keys immediately and permanently."
    >
      <button type="button" className="red" onClick={() => setConfirming(true)}>
        Delete account
      </button>
      {confirming && <Confirmation onClose={() => setConfirming(false)} />}
    </Section>
  );
}

function Confirmation({ onClose }: { onClose: () => void }) {
  const client = useClient();
  const user = useUser();
  const { passkeys } = useSignInMethods();
  const form = useForm(async (fields: { password_challenge?: string }, options) => {
    await client.deleteAccount(fields, options);
    if (passkeys.data) {
      await signalAccepted({ ...passkeys.data, passkeys: [] });
    }
  });
  return (
    <ConfirmDialog
      title="Delete your account?"
      text={
        <>
          All data of <b>{user.email_address}</b> will be deleted. This cannot be undone.
        </>
      }
      submit="Delete my account"
      form={form}
      onClose={onClose}
    >
      <CurrentPassword form={form} username={user.email_address} />
    </ConfirmDialog>
  );
}
