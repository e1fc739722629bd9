import { type AuthState, CloakroomError } from "@cloakroom/client";
import { useAuth, useForm } from "@cloakroom/client/react";
import { usePasskeySignIn, usePasskeysSupported } from "@cloakroom/client/react/passkeys";
import { useRef, useState } from "react";
import { Link, useLocation } from "react-router";
import { Alert, Notice } from "../components/Alert.js";
import { AddressField, PasswordField } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { PasskeyButton } from "../components/PasskeyButton.js";
import { ResendConfirmation } from "../components/ResendConfirmation.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { FormPage } from "../layout/FormPage.js";
import { hasMailCodes } from "../mail-code/enabled.js";
import { ProviderButtons } from "../providers/ProviderButtons.js";
import { SecondFactor } from "./SecondFactor.js";

const SIGN_OUT_NOTICES = {
  "signed-out": "You are signed out.",
  expired: "Your session has ended. Sign in to continue.",
  "other-tab": "You signed out in another tab.",
  deleted: "Your account is deleted.",
};

/**
 * Asks for a passkey, or for the password and then, if the user has one, for a second factor. The `RequireSignedOut` guard redirects after
 * sign-in: it knows the return path.
 */
export function SignIn() {
  const auth = useAuth();
  const [ended, setEnded] = useState("");
  return auth.status === "second-factor" ? (
    <SecondFactor methods={auth.methods} expiresAt={auth.expiresAt} onEnded={setEnded} />
  ) : (
    <PasswordForm ended={ended} onSubmit={() => setEnded("")} />
  );
}

interface PasswordFormProps {
  /** Why an earlier sign-in has ended before its second factor. */
  ended: string;
  onSubmit: () => void;
}

function PasswordForm({ ended, onSubmit }: PasswordFormProps) {
  const auth = useAuth();
  const { state } = useLocation();
  const [unconfirmed, setUnconfirmed] = useState("");
  const [overdue, setOverdue] = useState(false);
  const remember = useRef<HTMLInputElement>(null);
  const passkeys = usePasskeysSupported();
  const isRemembered = () => !!remember.current?.checked;
  const passkey = usePasskeySignIn({ remember: isRemembered });
  const form = useForm(
    async (fields: { email_address: string; password: string; remember: boolean }, options) => {
      setUnconfirmed("");
      setOverdue(false);
      onSubmit();
      try {
        return await auth.client.signIn(fields, options);
      } catch (error) {
        if (CloakroomError.is(error)) {
          setUnconfirmed(error.code === "email_unconfirmed" ? fields.email_address : "");
          setOverdue(error.code === "second_factor_enrolment_required");
        }
        throw error;
      }
    },
  );

  return (
    <FormPage
      title="Sign in"
      lead={passkeys ? "Use your password or a passkey." : "Use your email address and password."}
    >
      {ended && (
        <Alert focused>
          <p>{ended}</p>
        </Alert>
      )}
      <Notice>
        {!ended && !form.error && !passkey.error && (navigationNotice(state) ?? signOutNotice(auth))}
      </Notice>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        {unconfirmed && <ResendConfirmation address={unconfirmed} />}
        {overdue && (
          <p>
            <Link to="/passwords/new">Reset your password</Link>
          </p>
        )}
        <AddressField form={form} label="Email address" autoComplete="username webauthn" />
        <PasswordField form={form} name="password" label="Password" autoComplete="current-password" />
        <label className="check">
          <input ref={remember} type="checkbox" name="remember" /> Keep me signed in for longer
        </label>
        <SubmitButton form={form}>Sign in</SubmitButton>
      </form>
      {passkeys && (
        <div className="passkey">
          <p className="or">or</p>
          <PasskeyButton
            prompt={{
              ...passkey,
              start() {
                onSubmit();
                passkey.start();
              },
            }}
          >
            Sign in with a passkey
          </PasskeyButton>
        </div>
      )}
      <ProviderButtons follows={passkeys} remember={isRemembered} onStart={onSubmit} />
      <p className="aside">
        {hasMailCodes() && <Link to="/sign-in/code">Email me a code</Link>}
        <Link to="/passwords/new">Forgot your password?</Link>
        <span>
          New here? <Link to="/sign-up">Sign up</Link>
        </span>
      </p>
    </FormPage>
  );
}

/** The notice passed by the page that navigated here. */
function navigationNotice(state: unknown): string | undefined {
  const notice = (state as { notice?: unknown } | null)?.notice;
  return typeof notice === "string" ? notice : undefined;
}

function signOutNotice(auth: AuthState): string | undefined {
  return auth.status === "signed-out" && auth.reason ? SIGN_OUT_NOTICES[auth.reason] : undefined;
}
