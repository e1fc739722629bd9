import { CloakroomError } from "@cloakroom/client";
import { useClient } from "@cloakroom/client/react";
import { useState } from "react";
import { useOnline } from "../layout/Banner.js";
import { Alert, Notice } from "./Alert.js";
import { sentence } from "./FormAlert.js";

interface ResendConfirmationProps {
  address: string;
  label?: string;
}

/** A button that has the confirmation link mailed again; it may stand in a form. */
export function ResendConfirmation({ address, label = "Send the link again" }: ResendConfirmationProps) {
  const client = useClient();
  const online = useOnline();
  const [said, setSaid] = useState("");
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);

  async function send() {
    setBusy(true);
    setSaid("");
    setFailed("");
    try {
      const { message } = await client.requestConfirmation({ email_address: address });
      setSaid(`${message}.`);
    } catch (error) {
      setFailed(CloakroomError.is(error) ? sentence(error, online) : "Something went wrong.");
    } finally {
      setBusy(false);
    }
  }

  return (
    <div className="resend">
      <button type="button" aria-disabled={busy} onClick={() => busy || void send()}>
        {label}
      </button>
      {failed && (
        <Alert>
          <p>{failed}</p>
        </Alert>
      )}
      <Notice>{said}</Notice>
    </div>
  );
}
