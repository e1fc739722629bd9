import { CloakroomError } from "@cloakroom/client";
import { useCountdown } from "@cloakroom/client/react";
import { useEffect, useRef, useState } from "react";

export interface Action {
  /** Ignored while a run is under way and while `retryIn` is above 0. */
  start: () => void;
  pending: boolean;
  /** Why the last run failed. */
  error: CloakroomError | null;
  /** Seconds until the server accepts another attempt; else 0. */
  retryIn: number;
}

/** What a button does that stands in the form of something else. It is aborted on unmount. */
export function useAction(run: (options: { signal: AbortSignal }) => Promise<unknown>): Action {
  const controllerRef = useRef<AbortController>(null);
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<CloakroomError | null>(null);
  const retryIn = useCountdown(error?.retryAfter ?? 0, error);
  useEffect(() => () => controllerRef.current?.abort(), []);

  async function attempt() {
    const controller = new AbortController();
    const { signal } = controller;
    controllerRef.current = controller;
    setPending(true);
    setError(null);
    try {
      await run({ signal });
    } catch (thrown) {
      if (!CloakroomError.is(thrown)) {
        if (signal.aborted) {
          return;
        }
        throw thrown;
      }
      setError(thrown);
    } finally {
      controllerRef.current = null;
      setPending(false);
    }
  }

  function start() {
    if (!controllerRef.current && retryIn === 0) {
      void attempt();
    }
  }
  return { start, pending, error, retryIn };
}
