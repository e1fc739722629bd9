import { CloakroomError } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { Ticket } from "../layout/Ticket.js";
import { useMailedToken } from "../layout/token.js";
import { Alert, Notice } from "../parts/Alert.js";
import { FormAlert } from "../parts/FormAlert.js";
import { Onward } from "../parts/Onward.js";
import { SubmitButton } from "../parts/SubmitButton.js";

/** It takes a click, as confirming does. */
export function Unlock() {
  const client = useClient();
  const token = useMailedToken();
  const [done, setDone] = useState("");
  const [dead, setDead] = useState(token ? "" : "Open the link from your mail again.");
  const form = useForm(async (_, options) => {
    try {
      const { message } = await client.unlock({ token: token ?? "" }, options);
      setDone(message);
    } catch (error) {
      if (CloakroomError.is(error) && error.code === "link_invalid") {
        setDead(error.message);
      }
      throw error;
    }
  });

  return (
    <Ticket title="Open sign-in again">
      <Notice>{done}</Notice>
      {done ? (
        <Onward to="/sign-in" focused>
          Sign in
        </Onward>
      ) : dead ? (
        <>
          <Alert focused={token !== null}>
            <p>{dead}</p>
          </Alert>
          <p>Sign-in opens by itself within the hour, and a new password opens it at once.</p>
          <Onward to="/passwords/new">Choose a new password</Onward>
        </>
      ) : (
        <form onSubmit={form.onSubmit}>
          <p>
            Somebody tried too many passwords for your address, so sign-in is closed for a while. If you want
            to sign in now, open it for where you are.
          </p>
          <FormAlert form={form} />
          <SubmitButton form={form}>Open sign-in</SubmitButton>
        </form>
      )}
    </Ticket>
  );
}
