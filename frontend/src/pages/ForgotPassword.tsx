import { useAuth, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { Link } from "react-router";
import { Notice } from "../components/Alert.js";
import { AddressField } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { FormPage } from "../layout/FormPage.js";

/** Shows the same message for known and unknown addresses, as the server does. */
export function ForgotPassword() {
  const { client, user } = useAuth();
  const [sent, setSent] = useState("");
  const form = useForm(client.requestPasswordReset, {
    onSuccess: ({ message }) => {
      form.reset();
      setSent(message);
    },
  });

  return (
    <FormPage title="Forgot your password?" lead="We will mail you a link to choose a new password.">
      <Notice>
        {sent && `${sent}. The link is valid for 15 minutes. Nothing arrived? Check your spam folder.`}
      </Notice>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <AddressField form={form} label="Email address" defaultValue={user?.email_address} />
        <SubmitButton form={form}>Send the link</SubmitButton>
      </form>
      <p className="aside">
        <Link to="/sign-in">Back to sign in</Link>
      </p>
    </FormPage>
  );
}
