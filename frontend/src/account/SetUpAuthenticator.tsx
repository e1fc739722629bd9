import { CloakroomError, type Output } from "@cloakroom/client";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { Alert, Notice } from "../components/Alert.js";
import { CodeField } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { useCopy } from "../useCopy.js";
import { CurrentPassword } from "./CurrentPassword.js";

interface SetUpAuthenticatorProps {
  /** Called with the recovery codes. */
  onDone: (codes: string[]) => void;
  onCancel: () => void;
}

/** Sets up an authenticator app: asks for the password, shows the secret, and takes a code that proves it. */
export function SetUpAuthenticator({ onDone, onCancel }: SetUpAuthenticatorProps) {
  const [setup, setSetup] = useState<Output<"startTotp"> | null>(null);
  const [expired, setExpired] = useState(false);
  return setup ? (
    <ProveCode
      setup={setup}
      onDone={onDone}
      onCancel={onCancel}
      onExpired={() => {
        setSetup(null);
        setExpired(true);
      }}
    />
  ) : (
    <AskForPassword expired={expired} onDone={setSetup} onCancel={onCancel} />
  );
}

interface AskForPasswordProps {
  expired: boolean;
  onDone: (setup: Output<"startTotp">) => void;
  onCancel: () => void;
}

/** A reauthentication covers both steps, so that the password is asked for once and not kept. */
function AskForPassword({ expired, onDone, onCancel }: AskForPasswordProps) {
  const client = useClient();
  const user = useUser();
  const container = useRef<HTMLFormElement>(null);
  const form = useForm(
    async (
      { password }: { /** Absent once a passkey has confirmed the user. */ password?: string },
      options,
    ) => {
      if (password !== undefined) {
        await client.reauthenticate({ password }, options);
      }
      return await client.startTotp({}, options);
    },
    { onSuccess: onDone },
  );
  useEffect(() => {
    if (!expired) {
      container.current?.querySelector<HTMLElement>("input:not([hidden], [type=hidden]), button")?.focus();
    }
  }, [expired]);
  return (
    <form ref={container} aria-label="Set up an authenticator app" onSubmit={form.onSubmit} noValidate>
      {expired && !form.error && (
        <Alert focused>
          <p>The setup has expired. Start again.</p>
        </Alert>
      )}
      <FormAlert form={form} />
      <CurrentPassword form={form} name="password" username={user.email_address} />
      <div className="actions">
        <SubmitButton form={form}>Continue</SubmitButton>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

type ProveCodeProps = SetUpAuthenticatorProps & { setup: Output<"startTotp">; onExpired: () => void };

function ProveCode({ setup, onDone, onCancel, onExpired }: ProveCodeProps) {
  const client = useClient();
  const { copy, source, notice } = useCopy();
  const heading = useRef<HTMLHeadingElement>(null);
  const form = useForm(
    async (fields: { code: string }, options) => {
      try {
        return await client.enrolTotp(fields, options);
      } catch (error) {
        if (
          CloakroomError.is(error) &&
          (error.code === "totp_not_started" || error.fields.password_challenge)
        ) {
          onExpired();
        }
        throw error;
      }
    },
    { onSuccess: ({ recovery_codes }) => onDone(recovery_codes) },
  );
  useEffect(() => heading.current?.focus(), []);

  return (
    <div className="set-up">
      <h3 ref={heading} tabIndex={-1}>
        Scan this with your app
      </h3>
      <div className="secret-forms">
        <QrCode svg={setup.qr_svg} />
        <div>
          <p>
            Or <a href={setup.otpauth_url}>open it in an app on this device</a>, or type this key:
          </p>
          <code ref={source}>{setup.secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
          <button type="button" onClick={() => void copy(setup.secret)}>
            Copy key
          </button>
          <Notice>{notice}</Notice>
        </div>
      </div>
      <form aria-label="Prove the code" onSubmit={form.onSubmit} noValidate>
        <FormAlert form={form} />
        <CodeField
          form={form}
          name="code"
          label="Code"
          hint="The six digits that the app shows now. Nothing changes before you enter them."
        />
        <div className="actions">
          <SubmitButton form={form}>Finish setup</SubmitButton>
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        </div>
      </form>
    </div>
  );
}

/** Draws the server's image anew from its shapes: no markup is inserted, and the page's policy allows no `data:` images. */
function QrCode({ svg }: { svg: string }) {
  const { viewBox, shapes } = useMemo(() => {
    const image = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    const paths = [...image.querySelectorAll("path")];
    return {
      viewBox: image.getAttribute("viewBox") ?? "",
      shapes: paths.map((path) => [path.getAttribute("fill") ?? "", path.getAttribute("d") ?? ""] as const),
    };
  }, [svg]);
  return (
    <svg
      className="qr"
      viewBox={viewBox}
      shapeRendering="crispEdges"
      role="img"
      aria-label="QR code of the key"
    >
      {shapes.map(([fill, d]) => (
        <path key={fill} fill={fill} d={d} />
      ))}
    </svg>
  );
}
