import { CloakroomError } from "@cloakroom/client";
import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";

export interface Loaded<T> {
  /** The last loaded value; kept when a reload fails. */
  data: T | undefined;
  error: CloakroomError | null;
  loading: boolean;
  reload: () => void;
  /** Updates the loaded value after a change on the server. */
  update: (step: (data: T) => T) => void;
}

/** Loads on mount, on `reload`, and when back online after a failure. */
export function useLoad<T>(fetch: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [data, setData] = useState<T>();
  const [error, setError] = useState<CloakroomError | null>(null);
  const [loading, setLoading] = useState(true);
  const controllerRef = useRef<AbortController>(null);
  const fetchLatest = useEffectEvent(fetch);

  const load = useEffectEvent(async () => {
    controllerRef.current?.abort();
    const controller = new AbortController();
    controllerRef.current = controller;
    setLoading(true);
    try {
      const loaded = await fetchLatest(controller.signal);
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

  const [loads, setLoads] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new count triggers a load
  useEffect(() => {
    void load();
    return () => controllerRef.current?.abort();
  }, [loads]);

  const reload = useCallback(() => setLoads((last) => last + 1), []);
  const failed = error !== null;
  useEffect(() => {
    if (failed) {
      addEventListener("online", reload);
      return () => removeEventListener("online", reload);
    }
  }, [failed, reload]);

  const update = useCallback(
    (step: (data: T) => T) => setData((last) => (last === undefined ? last : step(last))),
    [],
  );
  return { data, error, loading, reload, update };
}
