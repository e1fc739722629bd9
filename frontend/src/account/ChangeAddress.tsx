import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { useState } from "react";
import { Notice } from "../components/Alert.js";
import { AddressField } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { ResendConfirmation } from "../components/ResendConfirmation.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { CurrentPassword } from "./CurrentPassword.js";
import { Section } from "./Section.js";

interface Fields {
  email_address: string;
  password_challenge?: string;
}

export function ChangeAddress() {
  const client = useClient();
  const user = useUser();
  const [notice, setNotice] = useState("");
  const form = useForm(
    async (fields: Fields, options) => {
      setNotice("");
      await client.changeAddress(fields, options);
      return fields.email_address;
    },
    {
      onSuccess: (address) => {
        form.reset();
        setNotice(
          `We have mailed a link to ${address}. Your address stays ${user.email_address} until you open it.`,
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
        <CurrentPassword form={form} />
        <Notice>{notice}</Notice>
        <SubmitButton form={form} className="">
          Change address
        </SubmitButton>
      </form>
    </Section>
  );
}
