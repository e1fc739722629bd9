import { reauthenticateWithPasskey } from "@cloakroom/client/passkeys";
import { type Form, useClient } from "@cloakroom/client/react";
import { usePasskeyPrompt, usePasskeysSupported } from "@cloakroom/client/react/passkeys";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { PasswordField } from "../components/Field.js";
import { PasskeyButton } from "../components/PasskeyButton.js";
import { hasMailCodes } from "../mail-code/enabled.js";
import { ConfirmByApp, ConfirmByMail } from "./ConfirmByCode.js";
import { useSignInMethods } from "./SignInMethodsContext.js";

interface CurrentPasswordProps {
  form: Form;
  name?: string;
  /** Tells password managers which account the password belongs to, where no other field does. */
  username?: string;
  hint?: ReactNode;
}

/** What confirms the user without a password. */
type Substitute = "passkey" | "app" | "mail" | "none";

const MISSING: Record<Substitute, string> = {
  passkey: "Confirm with your passkey first.",
  app: "Confirm with a code of your authenticator app first.",
  mail: "Confirm with a mailed code first.",
  none: "Set a password first.",
};

/**
 * The password that a sensitive change requires, or what takes its place. After that there is no input, since the session
 * is reauthenticated.
 */
export function CurrentPassword({ form, name = "password_challenge", username, hint }: CurrentPasswordProps) {
  const { hasPassword, confirmed, setConfirmed } = useSignInMethods();
  const substitute = useSubstitute();
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
      {asks && !hasPassword && missing && <p className="field-error">{MISSING[substitute]}</p>}
      <ConfirmInstead
        substitute={substitute}
        onConfirmed={() => {
          // Clears the message.
          form.field(name).onInput();
          setConfirmed(true);
        }}
      />
    </>
  );
}

/** Whether the user has nothing to confirm a change with. A password set by mail is the way out. */
export function useNothingToConfirmWith(): boolean {
  const { hasPassword, factors, passkeys, confirmed } = useSignInMethods();
  const substitute = useSubstitute();
  const isKnown = !!factors.data && !!(passkeys.data || passkeys.error);
  return isKnown && !hasPassword && !confirmed && substitute === "none";
}

/** The server takes a mailed code only of users who have nothing else. */
function useSubstitute(): Substitute {
  const supported = usePasskeysSupported();
  const { hasPassword, passkeys, factors } = useSignInMethods();
  const hasPasskey = !!passkeys.data?.passkeys.length;
  if (hasPasskey && supported) {
    return "passkey";
  }
  if (factors.data?.factors.length) {
    return "app";
  }
  return hasMailCodes() && !hasPasskey && !hasPassword ? "mail" : "none";
}

interface ConfirmInsteadProps {
  substitute: Substitute;
  onConfirmed: () => void;
}

function ConfirmInstead({ substitute, onConfirmed }: ConfirmInsteadProps) {
  const { hasPassword, factors, passkeys, confirmed } = useSignInMethods();
  const isKnown = factors.data && (passkeys.data || passkeys.error);
  const note = useRef<HTMLParagraphElement>(null);
  const [proof, setProof] = useState<Substitute>();
  // What had the focus is gone.
  useEffect(() => {
    if (confirmed && proof) {
      note.current?.focus();
    }
  }, [confirmed, proof]);
  const confirmBy = (by: Substitute) => () => {
    setProof(by);
    onConfirmed();
  };

  if (confirmed) {
    return (
      <p ref={note} tabIndex={-1} className="meta">
        {substitute === "passkey" ? "Confirmed with your passkey." : "Confirmed."}
      </p>
    );
  }
  if (substitute === "passkey") {
    return <ConfirmByPasskey onConfirmed={confirmBy("passkey")} />;
  }
  if (hasPassword || !isKnown) {
    return null;
  }
  switch (substitute) {
    case "app":
      return <ConfirmByApp onConfirmed={confirmBy("app")} />;
    case "mail":
      return <ConfirmByMail onConfirmed={confirmBy("mail")} />;
    default:
      return (
        <p className="meta">
          This needs a password, and your account has none. <Link to="/passwords/new">Set one by mail</Link>
        </p>
      );
  }
}

function ConfirmByPasskey({ onConfirmed }: Pick<ConfirmInsteadProps, "onConfirmed">) {
  const client = useClient();
  const { hasPassword } = useSignInMethods();
  const prompt = usePasskeyPrompt((options) => reauthenticateWithPasskey(client, options), {
    onSuccess: onConfirmed,
  });
  return (
    <div className="passkey">
      <PasskeyButton prompt={prompt} className={hasPassword ? "link" : ""}>
        {hasPassword ? "Use your passkey instead" : "Confirm with your passkey"}
      </PasskeyButton>
    </div>
  );
}
