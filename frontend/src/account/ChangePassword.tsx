import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { useState } from "react";
import { Link } from "react-router";
import { Notice } from "../components/Alert.js";
import { PasswordField } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { useFocusAfterRender } from "../useFocusAfterRender.js";
import { CurrentPassword, useNothingToConfirmWith } from "./CurrentPassword.js";
import { RemovePassword } from "./RemovePassword.js";
import { Section } from "./Section.js";
import { useSignInMethods } from "./SignInMethodsContext.js";

interface Fields {
  password_challenge?: string;
  password: string;
  password_confirmation: string;
  keep_api_keys: boolean;
}

/** Changes the password, removes it, or sets one for an account without. */
export function ChangePassword({ onDone }: { onDone: () => void }) {
  const client = useClient();
  const user = useUser();
  const { hasPassword, passkeys, reload } = useSignInMethods();
  const onlyByMail = useNothingToConfirmWith();
  const focus = useFocusAfterRender();
  const [removing, setRemoving] = useState(false);
  const [notice, setNotice] = useState("");
  const form = useForm(
    (fields: Fields, options) => {
      setNotice("");
      return client.changePassword(fields, options);
    },
    {
      onSuccess: ({ message }) => {
        form.reset();
        setNotice(message);
        reload();
        onDone();
      },
    },
  );

  return (
    <Section
      id="password"
      title="Password"
      lead={
        hasPassword
          ? "A new password signs you out on all your other devices."
          : "Your account has no password: you sign in with a passkey or a linked account. You can set a password as well."
      }
    >
      {onlyByMail ? (
        <Link to="/passwords/new">Set a password by mail</Link>
      ) : (
        <form onSubmit={form.onSubmit} noValidate>
          <FormAlert form={form} />
          <CurrentPassword
            form={form}
            username={user.email_address}
            hint={<Link to="/passwords/new">Forgot your password?</Link>}
          />
          <PasswordField form={form} name="password" label="New password" autoComplete="new-password" />
          <PasswordField
            form={form}
            name="password_confirmation"
            label="Password again"
            autoComplete="new-password"
          />
          <label className="check">
            <input type="checkbox" name="keep_api_keys" /> Keep my API keys; otherwise they are revoked
          </label>
          <Notice>{notice}</Notice>
          <SubmitButton form={form} className="">
            {hasPassword ? "Change password" : "Set password"}
          </SubmitButton>
        </form>
      )}
      {hasPassword && !!passkeys.data?.passkeys.length && (
        <button
          type="button"
          onClick={() => {
            setNotice("");
            setRemoving(true);
          }}
        >
          Remove password
        </button>
      )}
      {removing && (
        <RemovePassword
          onRemoved={(message) => {
            setRemoving(false);
            setNotice(message);
            reload();
            onDone();
            focus("password-title");
          }}
          onClose={() => setRemoving(false)}
        />
      )}
    </Section>
  );
}
