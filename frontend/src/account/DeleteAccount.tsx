import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { useState } from "react";
import { Dialog } from "../parts/Dialog.js";
import { PasswordField } from "../parts/Field.js";
import { FormAlert } from "../parts/FormAlert.js";
import { SubmitButton } from "../parts/SubmitButton.js";
import { Section } from "./Section.js";

export function DeleteAccount() {
  const [asking, setAsking] = useState(false);
  return (
    <Section
      id="delete"
      title="Delete account"
      lead="Your projects, sessions and keys go with it, at once and for good."
    >
      <button type="button" className="red" onClick={() => setAsking(true)}>
        Delete account
      </button>
      {asking && <Ask onClose={() => setAsking(false)} />}
    </Section>
  );
}

function Ask({ onClose }: { onClose: () => void }) {
  const client = useClient();
  const user = useUser();
  const form = useForm((fields: { password_challenge: string }, options) =>
    client.deleteAccount(fields, options),
  );
  return (
    <Dialog title="Delete your account?" onClose={onClose}>
      <p>
        All that belongs to <b>{user.email_address}</b> is deleted and cannot be brought back.
      </p>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <input type="text" autoComplete="username" value={user.email_address} readOnly hidden />
        <PasswordField
          form={form}
          name="password_challenge"
          label="Current password"
          autoComplete="current-password"
        />
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
