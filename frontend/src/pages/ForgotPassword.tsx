import { useClient, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { Link } from "react-router";
import { Ticket } from "../layout/Ticket.js";
import { Notice } from "../parts/Alert.js";
import { AddressField } from "../parts/Field.js";
import { FormAlert } from "../parts/FormAlert.js";
import { SubmitButton } from "../parts/SubmitButton.js";

/** Says the same whether or not the address has an account, as the server does. */
export function ForgotPassword() {
  const client = useClient();
  const [sent, setSent] = useState("");
  const form = useForm(client.requestPasswordReset, {
    onSuccess: ({ message }) => {
      form.reset();
      setSent(message);
    },
  });

  return (
    <Ticket title="Forgot your password?" lead="We mail you a link by which you choose a new one.">
      <Notice>
        {sent && `${sent}. The link holds for a quarter of an hour. Nothing came? Look among the junk.`}
      </Notice>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <AddressField form={form} label="Email address" />
        <SubmitButton form={form}>Send the link</SubmitButton>
      </form>
      <p className="aside">
        <Link to="/sign-in">Back to sign in</Link>
      </p>
    </Ticket>
  );
}
