import type { CloakroomError } from "@cloakroom/client";
import type { Form } from "@cloakroom/client/react";
import { useOnline } from "../layout/Banner.js";
import { Alert, Notice } from "./Alert.js";
import { Countdown } from "./Countdown.js";

/** The error of a form as a whole, and the wait until the next attempt. Errors of fields are shown at the fields. */
export function FormAlert({ form }: { form: Pick<Form, "error" | "retryIn"> }) {
  const online = useOnline();
  const { error, retryIn } = form;
  const waitIsOver = error?.retryAfter !== undefined && retryIn === 0;
  return (
    <>
      {error && !waitIsOver && !isShownAtFields(error) && (
        <Alert>
          <p>{errorText(error, online)}</p>
          {retryIn > 0 && <Countdown from={error.retryAfter ?? 0} left={retryIn} />}
        </Alert>
      )}
      <Notice>{waitIsOver && "You can try again now."}</Notice>
    </>
  );
}

/** The server's message repeats those of the fields; `useForm` replaces it if a field has no input. */
function isShownAtFields(error: CloakroomError): boolean {
  return Object.keys(error.fields).length > 0 && error.message === error.errors.join(", ");
}

/** The message for the user. */
export function errorText(error: CloakroomError, online: boolean): string {
  if (error.code !== "network_error") {
    return withFullStop(error.message);
  }
  return online
    ? "The server cannot be reached. Try again in a moment."
    : "You are offline. Try again when the network is back.";
}

function withFullStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
