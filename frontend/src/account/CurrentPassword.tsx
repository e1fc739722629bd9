import { reauthenticateWithPasskey } from "@cloakroom/client/passkeys";
import { type Form, useClient } from "@cloakroom/client/react";
import { usePasskeyPrompt, usePasskeysSupported } from "@cloakroom/client/react/passkeys";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { PasswordField } from "../components/Field.js";
import { PasskeyButton } from "../components/PasskeyButton.js";
import { useSignInMethods } from "./SignInMethodsContext.js";

interface CurrentPasswordProps {
  form: Form;
  name?: string;
  /** Tells password managers which account the password belongs to, where no other field does. */
  username?: string;
  hint?: ReactNode;
}

/**
 * The password that a sensitive change requires, or a passkey in its place. After the passkey there is no input, since
 * the session is reauthenticated.
 */
export function CurrentPassword({ form, name = "password_challenge", username, hint }: CurrentPasswordProps) {
  const { hasPassword, confirmed, setConfirmed } = useSignInMethods();
  const missing = form.messages(name).length > 0;
  useEffect(() => {
    if (missing) {
      setConfirmed(false);
    }
  }, [missing, setConfirmed]);
  const asks = !confirmed || missing;

  return (
    <>
      {asks && hasPassword && username && (
        <input type="text" autoComplete="username" value={username} readOnly hidden />
      )}
      {asks && hasPassword && (
        <PasswordField
          form={form}
          name={name}
          label="Current password"
          autoComplete="current-password"
          hint={hint}
        />
      )}
      {/* Binds the server's message about a missing password to this place. */}
      {asks && !hasPassword && <input type="hidden" name={name} value="" />}
      {asks && !hasPassword && missing && <p className="field-error">Confirm with your passkey first.</p>}
      <ConfirmByPasskey
        onConfirmed={() => {
          // Clears the message.
          form.field(name).onInput();
          setConfirmed(true);
        }}
      />
    </>
  );
}

function ConfirmByPasskey({ onConfirmed }: { onConfirmed: () => void }) {
  const client = useClient();
  const supported = usePasskeysSupported();
  const { hasPassword, passkeys, confirmed } = useSignInMethods();
  const note = useRef<HTMLParagraphElement>(null);
  const [isOwn, setIsOwn] = useState(false);
  const prompt = usePasskeyPrompt((options) => reauthenticateWithPasskey(client, options), {
    onSuccess: () => {
      setIsOwn(true);
      onConfirmed();
    },
  });
  // The button that had the focus is gone.
  useEffect(() => {
    if (confirmed && isOwn) {
      note.current?.focus();
    }
  }, [confirmed, isOwn]);

  if (confirmed) {
    return (
      <p ref={note} tabIndex={-1} className="meta">
        Confirmed with your passkey.
      </p>
    );
  }
  return (
    supported &&
    !!passkeys.data?.passkeys.length && (
      <div className="passkey">
        <PasskeyButton prompt={prompt} className={hasPassword ? "link" : ""}>
          {hasPassword ? "Use your passkey instead" : "Confirm with your passkey"}
        </PasskeyButton>
      </div>
    )
  );
}
