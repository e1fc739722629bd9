import type { CloakroomError } from "@cloakroom/client";
import { useCountdown } from "@cloakroom/client/react";
import { useOnline } from "../layout/Banner.js";
import { Alert } from "./Alert.js";
import { Countdown } from "./Countdown.js";
import { errorText } from "./FormAlert.js";

/** An error while loading, with a button that tries again. */
export function LoadError({ error, retry }: { error: CloakroomError; retry: () => void }) {
  const online = useOnline();
  const left = useCountdown(error.retryAfter ?? 0, error);
  return (
    <Alert>
      <p>{errorText(error, online)}</p>
      {left > 0 && <Countdown from={error.retryAfter ?? 0} left={left} />}
      <button type="button" aria-disabled={left > 0} onClick={() => left > 0 || retry()}>
        Try again
      </button>
    </Alert>
  );
}
