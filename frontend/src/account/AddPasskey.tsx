import { addPasskey, type Passkey } from "@cloakroom/client/passkeys";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import type { PasskeyPrompt } from "@cloakroom/client/react/passkeys";
import { useEffect, useRef, useState } from "react";
import { Field } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { PasskeyOutcome } from "../components/PasskeyButton.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { CurrentPassword } from "./CurrentPassword.js";

interface Fields {
  name: string;
  /** Absent once a passkey has confirmed the user. */
  password?: string;
}

interface AddPasskeyProps {
  onAdded: (passkey: Passkey) => void;
  onCancel: () => void;
}

/** A reauthentication covers both requests, so that the password is asked for once and not kept. */
export function AddPasskey({ onAdded, onCancel }: AddPasskeyProps) {
  const client = useClient();
  const user = useUser();
  const name = useRef<HTMLInputElement>(null);
  const [outcome, setOutcome] = useState<PasskeyPrompt["outcome"]>(null);
  const form = useForm(
    async ({ name, password }: Fields, options) => {
      setOutcome(null);
      if (password !== undefined) {
        await client.reauthenticate({ password }, options);
      }
      return await addPasskey(client, { name }, options);
    },
    {
      onSuccess: (result) =>
        result.status === "added" ? onAdded(result.passkey) : setOutcome(result.status),
    },
  );
  useEffect(() => name.current?.focus(), []);
  return (
    <form aria-label="Add a passkey" onSubmit={form.onSubmit} noValidate>
      <FormAlert form={form} />
      <PasskeyOutcome outcome={outcome} />
      <Field
        form={form}
        ref={name}
        name="name"
        label="Name"
        required={false}
        maxLength={255}
        autoComplete="off"
        hint="Optional. Tells it from your other passkeys, such as “Work laptop”."
      />
      <CurrentPassword form={form} name="password" username={user.email_address} />
      <div className="actions">
        <SubmitButton form={form}>Continue</SubmitButton>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
