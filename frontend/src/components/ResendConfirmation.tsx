import { CloakroomError } from "@cloakroom/client";
import { useClient } from "@cloakroom/client/react";
import { useState } from "react";
import { useOnline } from "../layout/Banner.js";
import { Alert, Notice } from "./Alert.js";
import { errorText } from "./FormAlert.js";

interface ResendConfirmationProps {
  address: string;
  label?: string;
}

/** A button that requests another confirmation mail. It is not a submit button, so it works inside a form. */
export function ResendConfirmation({ address, label = "Send the link again" }: ResendConfirmationProps) {
  const client = useClient();
  const online = useOnline();
  const [notice, setNotice] = useState("");
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);

  async function send() {
    setBusy(true);
    setNotice("");
    setFailed("");
    try {
      const { message } = await client.requestConfirmation({ email_address: address });
      setNotice(`${message}.`);
    } catch (error) {
      setFailed(CloakroomError.is(error) ? errorText(error, online) : "Something went wrong.");
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
      <Notice>{notice}</Notice>
    </div>
  );
}
