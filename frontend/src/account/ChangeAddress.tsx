import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { useState } from "react";
import { Notice } from "../parts/Alert.js";
import { AddressField, PasswordField } from "../parts/Field.js";
import { FormAlert } from "../parts/FormAlert.js";
import { ResendConfirmation } from "../parts/ResendConfirmation.js";
import { SubmitButton } from "../parts/SubmitButton.js";
import { Section } from "./Section.js";

interface Fields {
  email_address: string;
  password_challenge: string;
}

export function ChangeAddress() {
  const client = useClient();
  const user = useUser();
  const [said, setSaid] = useState("");
  const form = useForm(
    async (fields: Fields, options) => {
      setSaid("");
      await client.changeAddress(fields, options);
      return fields.email_address;
    },
    {
      onSuccess: (address) => {
        form.reset();
        setSaid(
          `We have mailed a link to ${address}. Your address stays ${user.email_address} until the link is opened.`,
        );
      },
    },
  );

  return (
    <Section id="address" title="Email address">
      <p className="lead">
        {user.email_address}{" "}
        {user.email_confirmed ? (
          <span className="badge">Confirmed</span>
        ) : (
          <span className="badge pale">Not confirmed</span>
        )}
      </p>
      {!user.email_confirmed && (
        <ResendConfirmation address={user.email_address} label="Mail a confirmation link" />
      )}
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <AddressField form={form} label="New email address" autoComplete="email" />
        <PasswordField
          form={form}
          name="password_challenge"
          label="Current password"
          autoComplete="current-password"
        />
        <Notice>{said}</Notice>
        <SubmitButton form={form} className="">
          Change address
        </SubmitButton>
      </form>
    </Section>
  );
}
