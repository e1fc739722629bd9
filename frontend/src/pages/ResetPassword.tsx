import type { Output } from "@cloakroom/client";
import { CloakroomError } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { Ticket } from "../layout/Ticket.js";
import { useMailedToken } from "../layout/token.js";
import { useLoad } from "../load.js";
import { Alert } from "../parts/Alert.js";
import { PasswordField } from "../parts/Field.js";
import { FormAlert } from "../parts/FormAlert.js";
import { Onward } from "../parts/Onward.js";
import { Problem } from "../parts/Problem.js";
import { Skeleton } from "../parts/Skeleton.js";
import { SubmitButton } from "../parts/SubmitButton.js";
import { clock } from "../words.js";

type Reset = Output<"showPasswordReset">;

/** The page that the mail links to. Whether the link still holds is asked before anything is typed. */
export function ResetPassword() {
  const token = useMailedToken();
  return (
    <Ticket title="Choose a new password">
      {token ? <Ask token={token} /> : <Dead>Open the link from your mail again.</Dead>}
    </Ticket>
  );
}

function Ask({ token }: { token: string }) {
  const client = useClient();
  const { data, error, reload } = useLoad((signal) => client.showPasswordReset({ token }, { signal }));
  if (error?.code === "link_invalid") {
    return <Dead>{error.message}</Dead>;
  }
  if (error) {
    return <Problem error={error} retry={reload} />;
  }
  return data ? <Choose token={token} reset={data} /> : <Skeleton rows={1} />;
}

function Choose({ token, reset }: { token: string; reset: Reset }) {
  const client = useClient();
  const navigate = useNavigate();
  const [dead, setDead] = useState("");
  const form = useForm(
    async (fields: { password: string; password_confirmation: string }, options) => {
      try {
        return await client.resetPassword({ token, ...fields }, options);
      } catch (error) {
        if (CloakroomError.is(error) && error.code === "link_invalid") {
          setDead(error.message);
        }
        throw error;
      }
    },
    { onSuccess: ({ message }) => void navigate("/sign-in", { replace: true, state: { news: message } }) },
  );
  if (dead) {
    return <Dead focused>{dead}</Dead>;
  }

  return (
    <>
      <p>
        For <b>{reset.email_address}</b>. The link holds until{" "}
        <time dateTime={reset.expires_at}>{clock(new Date(reset.expires_at))}</time>, and you will be signed
        out everywhere.
      </p>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <PasswordField form={form} name="password" label="New password" autoComplete="new-password" />
        <PasswordField
          form={form}
          name="password_confirmation"
          label="Password again"
          autoComplete="new-password"
        />
        <SubmitButton form={form}>Set the password</SubmitButton>
      </form>
    </>
  );
}

function Dead({ focused = false, children }: { focused?: boolean; children: string }) {
  return (
    <>
      <Alert focused={focused}>
        <p>{children}</p>
      </Alert>
      <p>Links hold for a quarter of an hour, work once, and end when the password or the address changes.</p>
      <Onward to="/passwords/new">Ask for a new link</Onward>
    </>
  );
}
