import { CloakroomError, type SecondFactor as Method } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { useEffect, useRef, useState } from "react";
import { CodeField } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { formatTime } from "../format.js";
import { FormPage } from "../layout/FormPage.js";

interface SecondFactorProps {
  methods: Method[];
  expiresAt: string;
  /** Called with the reason when the sign-in has expired, or ended after too many wrong codes. */
  onEnded: (reason: string) => void;
}

/** The second step of a sign-in. */
export function SecondFactor({ methods, expiresAt, onEnded }: SecondFactorProps) {
  const client = useClient();
  const [method, setMethod] = useState(methods[0] ?? "totp_code");
  const other = methods.find((each) => each !== method);

  return (
    <FormPage title="Enter your code" lead="Your account needs a second step.">
      <CodeForm key={method} method={method} expiresAt={expiresAt} onEnded={onEnded} />
      <p className="aside">
        {other && (
          <button type="button" className="link" onClick={() => setMethod(other)}>
            {other === "recovery_code" ? "Use a recovery code" : "Use the authenticator app"}
          </button>
        )}
        <button type="button" className="link" onClick={client.cancelSignIn}>
          Start over
        </button>
      </p>
    </FormPage>
  );
}

type CodeFormProps = Omit<SecondFactorProps, "methods"> & { method: Method };

function CodeForm({ method, expiresAt, onEnded }: CodeFormProps) {
  const client = useClient();
  const input = useRef<HTMLInputElement>(null);
  const form = useForm(async (fields: { [Each in Method]: string }, options) => {
    try {
      return await client.presentSecondFactor(
        method === "totp_code" ? { totp_code: fields.totp_code } : { recovery_code: fields.recovery_code },
        options,
      );
    } catch (error) {
      if (CloakroomError.is(error) && error.code === "pending_sign_in_invalid") {
        onEnded(error.message);
      }
      throw error;
    }
  });
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
      <p className="hint">
        This sign-in is valid until <time dateTime={expiresAt}>{formatTime(new Date(expiresAt))}</time>.
      </p>
    </form>
  );
}
