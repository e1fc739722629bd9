import { CloakroomError } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { Alert, Notice } from "../components/Alert.js";
import { FormAlert } from "../components/FormAlert.js";
import { NextLink } from "../components/NextLink.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { FormPage } from "../layout/FormPage.js";
import { useLinkToken } from "../layout/linkToken.js";

/** Unlocks on a click, not on load: mail scanners open links. */
export function Unlock() {
  const client = useClient();
  const token = useLinkToken();
  const [done, setDone] = useState("");
  const [linkError, setLinkError] = useState(token ? "" : "Open the link from your mail again.");
  const form = useForm(async (_, options) => {
    try {
      const { message } = await client.unlock({ token: token ?? "" }, options);
      setDone(message);
    } catch (error) {
      if (CloakroomError.is(error) && error.code === "link_invalid") {
        setLinkError(error.message);
      }
      throw error;
    }
  });

  return (
    <FormPage title="Open sign-in again">
      <Notice>{done}</Notice>
      {done ? (
        <NextLink to="/sign-in" focused>
          Sign in
        </NextLink>
      ) : linkError ? (
        <>
          <Alert focused={token !== null}>
            <p>{linkError}</p>
          </Alert>
          <p>Sign-in opens again within the hour. A new password opens it immediately.</p>
          <NextLink to="/passwords/new">Choose a new password</NextLink>
        </>
      ) : (
        <form onSubmit={form.onSubmit}>
          <p>
            Sign-in to your address is closed for a while because of too many failed attempts. To sign in now,
            open it for your network.
          </p>
          <FormAlert form={form} />
          <SubmitButton form={form}>Open sign-in</SubmitButton>
        </form>
      )}
    </FormPage>
  );
}
