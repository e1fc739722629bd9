import { CloakroomError } from "@cloakroom/client";
import { useAuth, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { Ticket } from "../layout/Ticket.js";
import { useMailedToken } from "../layout/token.js";
import { Alert, Notice } from "../parts/Alert.js";
import { AddressField } from "../parts/Field.js";
import { FormAlert } from "../parts/FormAlert.js";
import { Onward } from "../parts/Onward.js";
import { SubmitButton } from "../parts/SubmitButton.js";

/** It takes a click: programs that look through mails open links, too. */
export function ConfirmAddress() {
  const { client, status } = useAuth();
  const token = useMailedToken();
  const [done, setDone] = useState("");
  const [dead, setDead] = useState(token ? "" : "Open the link from your mail again.");
  const form = useForm(async (_, options) => {
    try {
      const { message } = await client.confirmAddress({ token: token ?? "" }, options);
      setDone(message);
    } catch (error) {
      if (CloakroomError.is(error) && error.code === "link_invalid") {
        setDead(error.message);
      }
      throw error;
    }
  });

  return (
    <Ticket title="Confirm your address">
      <Notice>{done}</Notice>
      {done ? (
        <Onward to={status === "signed-in" ? "/" : "/sign-in"} focused>
          {status === "signed-in" ? "Go to your projects" : "Sign in"}
        </Onward>
      ) : dead ? (
        <Again why={dead} focused={token !== null} />
      ) : (
        <form onSubmit={form.onSubmit}>
          <p>You were mailed a link to this page. Say that the address is yours.</p>
          <FormAlert form={form} />
          <SubmitButton form={form}>Confirm this address</SubmitButton>
        </form>
      )}
    </Ticket>
  );
}

function Again({ why, focused }: { why: string; focused: boolean }) {
  const { client } = useAuth();
  const [sent, setSent] = useState("");
  const form = useForm(client.requestConfirmation, {
    onSuccess: ({ message }) => {
      form.reset();
      setSent(message);
    },
  });
  return (
    <>
      <Alert focused={focused}>
        <p>{why}</p>
      </Alert>
      <p>
        Links hold for a day and work once. For a new address that you asked for in your account, ask there
        again.
      </p>
      <Notice>{sent && `${sent}.`}</Notice>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <AddressField form={form} label="Email address" />
        <SubmitButton form={form}>Send the link</SubmitButton>
      </form>
    </>
  );
}
