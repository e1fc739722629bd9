import { CloakroomError, type Output } from "@cloakroom/client";
import { useAuth, useClient, useCountdown, useForm } from "@cloakroom/client/react";
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { Alert, Notice } from "../components/Alert.js";
import { AddressField, CodeField } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { formatTime } from "../format.js";
import { FormPage } from "../layout/FormPage.js";
import { SecondFactor } from "../pages/SecondFactor.js";

/** Seconds until another mail can be asked for: mails take a while to arrive. */
const RESEND_AFTER = 60;
/** Wrong codes that the server accepts for one mail. */
const MAX_TRIES = 5;

/** What was asked for. The token stays in memory: a reload of the page starts over. */
interface Asked {
  address: string;
  remember: boolean;
  request: Output<"requestMailCode">;
}

/** Asks for the address, then for the code that is mailed to it, and then for a second factor, if there is one. */
export function SignInByMail() {
  const auth = useAuth();
  const [asked, setAsked] = useState<Asked>();
  const [ended, setEnded] = useState("");
  function startOver(reason: string) {
    setAsked(undefined);
    setEnded(reason);
  }
  if (auth.status === "second-factor") {
    return <SecondFactor methods={auth.methods} expiresAt={auth.expiresAt} onEnded={startOver} />;
  }
  return asked ? (
    <EnterCode asked={asked} onAsked={setAsked} onEnded={startOver} />
  ) : (
    <AskForCode ended={ended} onAsked={setAsked} />
  );
}

interface AskForCodeProps {
  /** Why an earlier code is of no use any more. */
  ended: string;
  onAsked: (asked: Asked) => void;
}

function AskForCode({ ended, onAsked }: AskForCodeProps) {
  const client = useClient();
  const form = useForm(async (fields: { email_address: string; remember: boolean }, options) => {
    const request = await client.requestMailCode(fields, options);
    onAsked({ address: fields.email_address, remember: fields.remember, request });
  });
  return (
    <FormPage title="Sign in by mail" lead="We will mail you a code and a link. You need no password.">
      {ended && (
        <Alert focused>
          <p>{ended}</p>
        </Alert>
      )}
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <AddressField form={form} label="Email address" />
        <label className="check">
          <input type="checkbox" name="remember" /> Keep me signed in for longer
        </label>
        <SubmitButton form={form}>Email me a code</SubmitButton>
      </form>
      <p className="aside">
        <Link to="/sign-in">Use a password</Link>
      </p>
    </FormPage>
  );
}

interface EnterCodeProps {
  asked: Asked;
  onAsked: (asked: Asked) => void;
  onEnded: (reason: string) => void;
}

function EnterCode({ asked, onAsked, onEnded }: EnterCodeProps) {
  const client = useClient();
  const input = useRef<HTMLInputElement>(null);
  const tries = useRef(0);
  const { request_token, expires_at } = asked.request;
  const form = useForm(async ({ code }: { code: string }, options) => {
    try {
      return await client.signIn({ request_token, code }, options);
    } catch (error) {
      if (CloakroomError.is(error) && error.code === "invalid_code" && ++tries.current === MAX_TRIES) {
        onEnded("That code was wrong too often. Ask for another one.");
      }
      throw error;
    }
  });
  useEffect(() => input.current?.focus(), []);

  return (
    <FormPage title="Enter the code from your mail">
      <p>
        If <b>{asked.address}</b> has an account, a mail is on its way. Type its code here, or open its link
        in this browser.
      </p>
      <form onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <CodeField
          form={form}
          ref={input}
          name="code"
          label="Code"
          hint={
            <>
              Eight digits, valid until <time dateTime={expires_at}>{formatTime(new Date(expires_at))}</time>.
            </>
          }
        />
        <SubmitButton form={form}>Sign in</SubmitButton>
      </form>
      <Resend
        key={request_token}
        asked={asked}
        onAsked={(again) => {
          tries.current = 0;
          form.reset();
          onAsked(again);
        }}
      />
      <p className="aside">
        <button type="button" className="link" onClick={() => onEnded("")}>
          Use another address
        </button>
        <Link to="/sign-in">Use a password</Link>
      </p>
    </FormPage>
  );
}

/** Asks for another mail, after a while. */
function Resend({ asked, onAsked }: Pick<EnterCodeProps, "asked" | "onAsked">) {
  const client = useClient();
  const left = useCountdown(RESEND_AFTER, asked.request.request_token);
  const form = useForm(async (_, options) => {
    const { address, remember } = asked;
    const request = await client.requestMailCode({ email_address: address, remember }, options);
    onAsked({ ...asked, request });
  });
  return (
    <form onSubmit={form.onSubmit}>
      <FormAlert form={form} />
      <Notice>{left === 0 && "Nothing arrived? Check your spam folder, or ask for another mail."}</Notice>
      {left === 0 && (
        <SubmitButton form={form} className="quiet">
          Send another mail
        </SubmitButton>
      )}
    </form>
  );
}
