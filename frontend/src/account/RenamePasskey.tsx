import type { Passkey } from "@cloakroom/client/passkeys";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { useEffect, useRef } from "react";
import { Field } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { CurrentPassword } from "./CurrentPassword.js";

interface RenamePasskeyProps {
  passkey: Passkey;
  onRenamed: (passkey: Passkey) => void;
  onCancel: () => void;
}

export function RenamePasskey({ passkey, onRenamed, onCancel }: RenamePasskeyProps) {
  const client = useClient();
  const user = useUser();
  const input = useRef<HTMLInputElement>(null);
  const form = useForm(
    (fields: { name: string; password_challenge?: string }, options) =>
      client.renamePasskey({ id: passkey.id, ...fields }, options),
    { onSuccess: (renamed) => onRenamed(renamed.passkey) },
  );
  useEffect(() => input.current?.focus(), []);
  return (
    <form aria-label={`Rename ${passkey.name}`} onSubmit={form.onSubmit} noValidate>
      <FormAlert form={form} />
      <Field
        form={form}
        ref={input}
        name="name"
        label="Name"
        autoComplete="off"
        defaultValue={passkey.name}
      />
      <CurrentPassword form={form} username={user.email_address} />
      <div className="actions">
        <SubmitButton form={form}>Save</SubmitButton>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
