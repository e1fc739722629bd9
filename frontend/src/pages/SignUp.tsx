import { useClient, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { Link } from "react-router";
import { Ticket } from "../layout/Ticket.js";
import { AddressField, PasswordField } from "../parts/Field.js";
import { FormAlert } from "../parts/FormAlert.js";
import { ResendConfirmation } from "../parts/ResendConfirmation.js";
import { SubmitButton } from "../parts/SubmitButton.js";

interface Fields {
  email_address: string;
  password: string;
  password_confirmation: string;
}

export function SignUp() {
  const client = useClient();
  const [mailed, setMailed] = useState("");
  const form = useForm(async (fields: Fields, options) => {
    await client.signUp(fields, options);
    // Some servers sign nobody in before the address is confirmed; otherwise the guard goes on from here.
    if (client.state().status !== "signed-in") {
      setMailed(fields.email_address);
    }
  });
  if (mailed) {
    return <LookIntoYourMail address={mailed} />;
  }

  return (
    <Ticket title="Sign up" lead="An account keeps your projects apart from everybody else's.">
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <AddressField form={form} label="Email address" />
        <PasswordField form={form} name="password" label="Password" autoComplete="new-password" />
        <PasswordField
          form={form}
          name="password_confirmation"
          label="Password again"
          autoComplete="new-password"
        />
        <SubmitButton form={form}>Sign up</SubmitButton>
      </form>
      <p className="aside">
        <span>
          You have an account? <Link to="/sign-in">Sign in</Link>
        </span>
      </p>
    </Ticket>
  );
}

function LookIntoYourMail({ address }: { address: string }) {
  return (
    <Ticket title="Look into your mail">
      <p>
        A link is on its way to <b>{address}</b>. Open it to confirm the address, and then sign in.
      </p>
      <ResendConfirmation address={address} />
      <p className="aside">
        <Link to="/sign-in">Sign in</Link>
      </p>
    </Ticket>
  );
}
