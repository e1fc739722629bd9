import { CloakroomError } from "@cloakroom/client";
import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";

export interface Loaded<T> {
  /** What was loaded last; it stays when loading again fails. */
  data: T | undefined;
  error: CloakroomError | null;
  loading: boolean;
  reload: () => void;
  /** Changes what was loaded, after a change that the server has confirmed. */
  change: (step: (data: T) => T) => void;
}

/** Loads when the component appears, and again when a failed load may work: the network is back. */
export function useLoad<T>(fetch: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [data, setData] = useState<T>();
  const [error, setError] = useState<CloakroomError | null>(null);
  const [loading, setLoading] = useState(true);
  const under = useRef<AbortController>(null);
  const ask = useEffectEvent(fetch);

  const load = useEffectEvent(async () => {
    under.current?.abort();
    const controller = new AbortController();
    under.current = controller;
    setLoading(true);
    try {
      const loaded = await ask(controller.signal);
      if (!controller.signal.aborted) {
        setData(loaded);
        setError(null);
      }
    } catch (failure) {
      if (controller.signal.aborted) {
        return;
      }
      if (!CloakroomError.is(failure)) {
        throw failure;
      }
      setError(failure);
    }
    if (!controller.signal.aborted) {
      setLoading(false);
    }
  });

  const [turn, setTurn] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a turn is a wish to load again
  useEffect(() => {
    void load();
    return () => under.current?.abort();
  }, [turn]);

  const reload = useCallback(() => setTurn((last) => last + 1), []);
  const failed = error !== null;
  useEffect(() => {
    if (failed) {
      addEventListener("online", reload);
      return () => removeEventListener("online", reload);
    }
  }, [failed, reload]);

  const change = useCallback(
    (step: (data: T) => T) => setData((last) => (last === undefined ? last : step(last))),
    [],
  );
  return { data, error, loading, reload, change };
}
