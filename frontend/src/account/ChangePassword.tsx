import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { useState } from "react";
import { Link } from "react-router";
import { Notice } from "../parts/Alert.js";
import { PasswordField } from "../parts/Field.js";
import { FormAlert } from "../parts/FormAlert.js";
import { SubmitButton } from "../parts/SubmitButton.js";
import { Section } from "./Section.js";

interface Fields {
  password_challenge: string;
  password: string;
  password_confirmation: string;
}

export function ChangePassword({ onDone }: { onDone: () => void }) {
  const client = useClient();
  const user = useUser();
  const [said, setSaid] = useState("");
  const form = useForm(
    (fields: Fields, options) => {
      setSaid("");
      return client.changePassword(fields, options);
    },
    {
      onSuccess: ({ message }) => {
        form.reset();
        setSaid(message);
        onDone();
      },
    },
  );

  return (
    <Section id="password" title="Password" lead="A new password signs you out on all your other devices.">
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        {/* For password managers, so that they know whose password this is. */}
        <input type="text" autoComplete="username" value={user.email_address} readOnly hidden />
        <PasswordField
          form={form}
          name="password_challenge"
          label="Current password"
          autoComplete="current-password"
          hint={<Link to="/passwords/new">Forgot your password?</Link>}
        />
        <PasswordField form={form} name="password" label="New password" autoComplete="new-password" />
        <PasswordField
          form={form}
          name="password_confirmation"
          label="Password again"
          autoComplete="new-password"
        />
        <Notice>{said}</Notice>
        <SubmitButton form={form} className="">
          Change password
        </SubmitButton>
      </form>
    </Section>
  );
}
