import { signUpWithPasskey } from "@cloakroom/client/passkeys";
import { useClient, useForm } from "@cloakroom/client/react";
import { type PasskeyPrompt, usePasskeysSupported } from "@cloakroom/client/react/passkeys";
import { useState } from "react";
import { Link } from "react-router";
import { AddressField, PasswordField } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { PasskeyOutcome } from "../components/PasskeyButton.js";
import { ResendConfirmation } from "../components/ResendConfirmation.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { FormPage } from "../layout/FormPage.js";
import { ProviderButtons } from "../providers/ProviderButtons.js";

interface Fields {
  email_address: string;
  password: string;
  password_confirmation: string;
}

export function SignUp() {
  const client = useClient();
  const [mailedTo, setMailedTo] = useState("");
  const supported = usePasskeysSupported();
  const [withPasskey, setWithPasskey] = useState(false);
  const [outcome, setOutcome] = useState<PasskeyPrompt["outcome"]>(null);
  const form = useForm(async (fields: Fields, options) => {
    setOutcome(null);
    if (withPasskey) {
      const { email_address } = fields;
      const result = await signUpWithPasskey(client, { email_address }, options);
      if (result.status !== "signed-up") {
        setOutcome(result.status);
        return;
      }
    } else {
      await client.signUp(fields, options);
    }
    // Without a session the address must be confirmed first; with one the guard redirects.
    if (client.state().status !== "signed-in") {
      setMailedTo(fields.email_address);
    }
  });
  if (mailedTo) {
    return <CheckYourMail address={mailedTo} />;
  }

  return (
    <FormPage title="Sign up" lead="Create an account to get started.">
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <PasskeyOutcome outcome={outcome} />
        <AddressField form={form} label="Email address" />
        {withPasskey ? (
          <p className="hint">
            Your device will ask for your fingerprint, your face or its screen lock. There is no password to
            remember.
          </p>
        ) : (
          <>
            <PasswordField form={form} name="password" label="Password" autoComplete="new-password" />
            <PasswordField
              form={form}
              name="password_confirmation"
              label="Password again"
              autoComplete="new-password"
            />
          </>
        )}
        <SubmitButton form={form}>{withPasskey ? "Sign up with a passkey" : "Sign up"}</SubmitButton>
      </form>
      {supported && (
        <p>
          <button
            type="button"
            className="link"
            onClick={() => {
              setOutcome(null);
              setWithPasskey(!withPasskey);
            }}
          >
            {withPasskey ? "Use a password instead" : "Use a passkey instead of a password"}
          </button>
        </p>
      )}
      <ProviderButtons />
      <p className="aside">
        <span>
          Already have an account? <Link to="/sign-in">Sign in</Link>
        </span>
      </p>
    </FormPage>
  );
}

function CheckYourMail({ address }: { address: string }) {
  return (
    <FormPage title="Check your mail">
      <p>
        A link is on its way to <b>{address}</b>. Open it to confirm the address, and then sign in.
      </p>
      <ResendConfirmation address={address} />
      <p className="aside">
        <Link to="/sign-in">Sign in</Link>
      </p>
    </FormPage>
  );
}
