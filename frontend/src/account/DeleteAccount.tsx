import { signalAccepted } from "@cloakroom/client/passkeys";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { useState } from "react";
import { Dialog } from "../components/Dialog.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
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
      {confirming && <ConfirmDialog onClose={() => setConfirming(false)} />}
    </Section>
  );
}

function ConfirmDialog({ onClose }: { onClose: () => void }) {
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
    <Dialog title="Delete your account?" onClose={onClose}>
      <p>
        All data of <b>{user.email_address}</b> will be deleted. This cannot be undone.
      </p>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <CurrentPassword form={form} username={user.email_address} />
        <div className="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <SubmitButton form={form} className="danger">
            Delete my account
          </SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
