import type { Output } from "@cloakroom/client";
import { CloakroomError } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { Alert } from "../components/Alert.js";
import { PasswordField } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { LoadError } from "../components/LoadError.js";
import { NextLink } from "../components/NextLink.js";
import { Skeleton } from "../components/Skeleton.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { formatTime } from "../format.js";
import { FormPage } from "../layout/FormPage.js";
import { useLinkToken } from "../layout/linkToken.js";
import { useLoad } from "../useLoad.js";

type Reset = Output<"checkPasswordReset">;

/** Checks the link before it shows the form. */
export function ResetPassword() {
  const token = useLinkToken();
  return (
    <FormPage title="Choose a new password">
      {token ? <CheckLink token={token} /> : <InvalidLink>Open the link from your mail again.</InvalidLink>}
    </FormPage>
  );
}

function CheckLink({ token }: { token: string }) {
  const client = useClient();
  const { data, error, reload } = useLoad((signal) => client.checkPasswordReset({ token }, { signal }));
  if (error?.code === "link_invalid") {
    return <InvalidLink>{error.message}</InvalidLink>;
  }
  if (error) {
    return <LoadError error={error} retry={reload} />;
  }
  return data ? <NewPasswordForm token={token} reset={data} /> : <Skeleton rows={1} />;
}

function NewPasswordForm({ token, reset }: { token: string; reset: Reset }) {
  const client = useClient();
  const navigate = useNavigate();
  const [linkError, setLinkError] = useState("");
  const form = useForm(
    async (fields: { password: string; password_confirmation: string }, options) => {
      try {
        return await client.resetPassword({ token, ...fields }, options);
      } catch (error) {
        if (CloakroomError.is(error) && error.code === "link_invalid") {
          setLinkError(error.message);
        }
        throw error;
      }
    },
    { onSuccess: ({ message }) => void navigate("/sign-in", { replace: true, state: { notice: message } }) },
  );
  if (linkError) {
    return <InvalidLink focused>{linkError}</InvalidLink>;
  }

  return (
    <>
      <p>
        For <b>{reset.email_address}</b>. The link is valid until{" "}
        <time dateTime={reset.expires_at}>{formatTime(new Date(reset.expires_at))}</time>, and you will be
        signed out everywhere.
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

function InvalidLink({ focused = false, children }: { focused?: boolean; children: string }) {
  return (
    <>
      <Alert focused={focused}>
        <p>{children}</p>
      </Alert>
      <p>Links are valid for 15 minutes, work once, and expire when the password or the address changes.</p>
      <NextLink to="/passwords/new">Request a new link</NextLink>
    </>
  );
}
