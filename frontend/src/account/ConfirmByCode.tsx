import type { Input, Output } from "@cloakroom/client";
import { useClient, useCountdown, useUser } from "@cloakroom/client/react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { FormAlert } from "../components/FormAlert.js";
import { formatTime } from "../format.js";
import { type Action, useAction } from "../useAction.js";

/** Seconds until another mail can be asked for: mails take a while to arrive. */
const RESEND_AFTER = 60;

interface ConfirmedProps {
  onConfirmed: () => void;
}

/** A mailed code in place of a password, for a user who has neither password nor second factor. */
export function ConfirmByMail({ onConfirmed }: ConfirmedProps) {
  const client = useClient();
  const { email_address } = useUser();
  const [request, setRequest] = useState<Output<"requestMailCode">>();
  const mail = useAction(async (options) => {
    setRequest(await client.requestMailCode({ email_address }, options));
  });
  const left = useCountdown(request ? RESEND_AFTER : 0, request);
  return (
    <div className="confirm">
      <FormAlert form={mail} />
      {request && (
        <EnterCode
          key={request.request_token}
          field="mail_code"
          prove={(mail_code) => ({ mail_code, request_token: request.request_token })}
          focused
          hint={
            <>
              Eight digits from the mail to {email_address}, valid until{" "}
              <time dateTime={request.expires_at}>{formatTime(new Date(request.expires_at))}</time>.
            </>
          }
          onConfirmed={onConfirmed}
        />
      )}
      {left === 0 && (
        <ActionButton action={mail} className={request ? "link" : ""}>
          {request ? "Send another mail" : "Email me a code to confirm it is you"}
        </ActionButton>
      )}
    </div>
  );
}

/** A code of the authenticator app in place of a password. */
export function ConfirmByApp({ onConfirmed }: ConfirmedProps) {
  return (
    <div className="confirm">
      <EnterCode
        field="totp_code"
        prove={(totp_code) => ({ totp_code })}
        hint="To confirm it is you: the six digits that your authenticator app shows."
        onConfirmed={onConfirmed}
      />
    </div>
  );
}

interface EnterCodeProps extends ConfirmedProps {
  /** The server's name of the code. */
  field: string;
  prove: (code: string) => Input<"reauthenticate">;
  /** Set when it replaces a button that had the focus. */
  focused?: boolean;
  hint: ReactNode;
}

/** An input and a button, and no form: it stands in the form of a change. The input has no name, so that the form ignores it. */
function EnterCode({ field, prove, focused = false, hint, onConfirmed }: EnterCodeProps) {
  const client = useClient();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const confirm = useAction(async (options) => {
    await client.reauthenticate(prove(input.current?.value ?? ""), options);
    onConfirmed();
  });
  // No code at all is missed as the password is.
  const messages = confirm.error?.fields[field] ?? confirm.error?.fields.password;
  useEffect(() => {
    if (focused) {
      input.current?.focus();
    }
  }, [focused]);
  useEffect(() => {
    if (messages) {
      input.current?.focus();
    }
  }, [messages]);

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Enter") {
      event.preventDefault();
      confirm.start();
    }
  }

  return (
    <>
      <FormAlert form={confirm} />
      <div className="field">
        <label htmlFor={id}>Code</label>
        <input
          ref={input}
          id={id}
          inputMode="numeric"
          autoComplete="one-time-code"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          aria-invalid={!!messages || undefined}
          aria-describedby={messages ? `${id}-error ${id}-hint` : `${id}-hint`}
          onKeyDown={onKeyDown}
        />
        {messages && (
          <p className="field-error" id={`${id}-error`}>
            {messages.map((message) => `Code ${message}`).join(". ")}
          </p>
        )}
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      </div>
      <ActionButton action={confirm}>Confirm</ActionButton>
    </>
  );
}

interface ActionButtonProps {
  action: Action;
  className?: string;
  children: ReactNode;
}

function ActionButton({ action, className = "", children }: ActionButtonProps) {
  return (
    <button
      type="button"
      className={className}
      aria-disabled={action.pending || action.retryIn > 0}
      data-busy={action.pending || undefined}
      onClick={action.start}
    >
      {children}
    </button>
  );
}
