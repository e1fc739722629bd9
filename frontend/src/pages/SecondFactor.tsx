import { CloakroomError, type SecondFactor as Method } from "@cloakroom/client";
import { presentPasskey } from "@cloakroom/client/passkeys";
import { useClient, useForm } from "@cloakroom/client/react";
import { usePasskeyPrompt, usePasskeysSupported } from "@cloakroom/client/react/passkeys";
import { useEffect, useRef, useState } from "react";
import { CodeField } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { PasskeyButton } from "../components/PasskeyButton.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { formatTime } from "../format.js";
import { FormPage } from "../layout/FormPage.js";

interface SecondFactorProps {
  methods: Method[];
  expiresAt: string;
  /** Called with the reason when the sign-in has expired, or ended after too many wrong codes. */
  onEnded: (reason: string) => void;
  /** Called when the user gives up. */
  onStartOver?: () => void;
}

const OFFERS: Record<Method, string> = {
  passkey: "Use a passkey",
  totp_code: "Use the authenticator app",
  recovery_code: "Use a recovery code",
};

/** The second step of a sign-in: a passkey where there is one, else a code. */
export function SecondFactor({ methods, expiresAt, onEnded, onStartOver }: SecondFactorProps) {
  const client = useClient();
  const supported = usePasskeysSupported();
  const usable = methods.filter((each) => each !== "passkey" || supported);
  const [method, setMethod] = useState(usable.find((each) => each === "passkey") ?? usable[0] ?? "totp_code");

  return (
    <FormPage
      title={method === "passkey" ? "Use your passkey" : "Enter your code"}
      lead="Your account needs a second step."
    >
      {method === "passkey" ? (
        <PasskeyForm onEnded={onEnded} />
      ) : (
        <CodeForm key={method} method={method} onEnded={onEnded} />
      )}
      <p className="hint">
        This sign-in is valid until <time dateTime={expiresAt}>{formatTime(new Date(expiresAt))}</time>.
      </p>
      <p className="aside">
        {usable
          .filter((each) => each !== method)
          .map((each) => (
            <button key={each} type="button" className="link" onClick={() => setMethod(each)}>
              {OFFERS[each]}
            </button>
          ))}
        <button
          type="button"
          className="link"
          onClick={() => {
            onStartOver?.();
            client.cancelSignIn();
          }}
        >
          Start over
        </button>
      </p>
    </FormPage>
  );
}

function PasskeyForm({ onEnded }: Pick<SecondFactorProps, "onEnded">) {
  const client = useClient();
  const button = useRef<HTMLButtonElement>(null);
  const prompt = usePasskeyPrompt((options) => reportingEnd(presentPasskey(client, options), onEnded));
  useEffect(() => button.current?.focus(), []);
  return (
    <div className="passkey">
      <PasskeyButton prompt={prompt} ref={button} className="main">
        Continue with your passkey
      </PasskeyButton>
    </div>
  );
}

type CodeFormProps = Pick<SecondFactorProps, "onEnded"> & { method: Exclude<Method, "passkey"> };

function CodeForm({ method, onEnded }: CodeFormProps) {
  const client = useClient();
  const input = useRef<HTMLInputElement>(null);
  const form = useForm((fields: { [Each in Method]: string }, options) =>
    reportingEnd(
      client.presentSecondFactor(
        method === "totp_code" ? { totp_code: fields.totp_code } : { recovery_code: fields.recovery_code },
        options,
      ),
      onEnded,
    ),
  );
  useEffect(() => input.current?.focus(), []);

  return (
    <form onSubmit={form.onSubmit} noValidate>
      <FormAlert form={form} />
      {method === "totp_code" ? (
        <CodeField
          form={form}
          ref={input}
          name={method}
          label="Code"
          hint="The six digits that your authenticator app shows."
        />
      ) : (
        <CodeField
          form={form}
          ref={input}
          name={method}
          label="Recovery code"
          inputMode="text"
          autoComplete="off"
          hint="One of those you saved when you set up the app. Each works once."
        />
      )}
      <SubmitButton form={form}>Sign in</SubmitButton>
    </form>
  );
}

/** Reports why the sign-in is over, before the page goes back to the password. */
async function reportingEnd<Result>(call: Promise<Result>, onEnded: (reason: string) => void) {
  try {
    return await call;
  } catch (error) {
    if (CloakroomError.is(error) && error.code === "pending_sign_in_invalid") {
      onEnded(error.message);
    }
    throw error;
  }
}
