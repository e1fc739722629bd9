import type { CloakroomError } from "@cloakroom/client";
import type { Form } from "@cloakroom/client/react";
import { useOnline } from "../layout/Banner.js";
import { Alert, Notice } from "./Alert.js";
import { Countdown } from "./Countdown.js";

/** Why a form was refused as a whole, and when it may be sent again. What is wrong with a field stands at the field. */
export function FormAlert({ form }: { form: Form }) {
  const online = useOnline();
  const { error, retryIn } = form;
  const over = error?.retryAfter !== undefined && retryIn === 0;
  return (
    <>
      {error && !over && !saidAtTheField(error) && (
        <Alert>
          <p>{sentence(error, online)}</p>
          {retryIn > 0 && <Countdown from={error.retryAfter ?? 0} left={retryIn} />}
        </Alert>
      )}
      <Notice>{over && "You can try again now."}</Notice>
    </>
  );
}

/** The server repeats the messages of the fields; the form has put another sentence there if it had no input. */
function saidAtTheField(error: CloakroomError): boolean {
  return Object.keys(error.fields).length > 0 && error.message === error.errors.join(", ");
}

/** What to tell people; a server that cannot be reached says nothing itself. */
export function sentence(error: CloakroomError, online: boolean): string {
  if (error.code !== "network_error") {
    return full(error.message);
  }
  return online
    ? "The server cannot be reached. Try again in a moment."
    : "You are offline. Try again when the network is back.";
}

function full(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
