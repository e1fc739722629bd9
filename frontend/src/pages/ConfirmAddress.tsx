import { CloakroomError } from "@cloakroom/client";
import { listPasskeys, passkeysSupported } from "@cloakroom/client/passkeys";
import { useAuth, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { Alert, Notice } from "../components/Alert.js";
import { AddressField } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { NextLink } from "../components/NextLink.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { FormPage } from "../layout/FormPage.js";
import { useLinkToken } from "../layout/linkToken.js";

/** Confirms on a click, not on load: mail scanners open links. */
export function ConfirmAddress() {
  const { client, status } = useAuth();
  const token = useLinkToken();
  const [done, setDone] = useState("");
  const [linkError, setLinkError] = useState(token ? "" : "Open the link from your mail again.");
  const form = useForm(async (_, options) => {
    try {
      const { message } = await client.confirmAddress({ token: token ?? "" }, options);
      setDone(message);
      if (client.state().status === "signed-in" && passkeysSupported()) {
        // Tells password managers, which show the address with each passkey.
        listPasskeys(client).catch(() => {});
      }
    } catch (error) {
      if (CloakroomError.is(error) && error.code === "link_invalid") {
        setLinkError(error.message);
      }
      throw error;
    }
  });

  return (
    <FormPage title="Confirm your address">
      <Notice>{done}</Notice>
      {done ? (
        <NextLink to={status === "signed-in" ? "/" : "/sign-in"} focused>
          {status === "signed-in" ? "Go to your projects" : "Sign in"}
        </NextLink>
      ) : linkError ? (
        <RequestNewLink reason={linkError} focused={token !== null} />
      ) : (
        <form onSubmit={form.onSubmit}>
          <p>Confirm that this is your email address.</p>
          <FormAlert form={form} />
          <SubmitButton form={form}>Confirm this address</SubmitButton>
        </form>
      )}
    </FormPage>
  );
}

function RequestNewLink({ reason, focused }: { reason: string; focused: boolean }) {
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
        <p>{reason}</p>
      </Alert>
      <p>
        Links are valid for a day and work once. To confirm a new address for your account, request the link
        there again.
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
