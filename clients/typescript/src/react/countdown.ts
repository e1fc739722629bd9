import { useMemo, useSyncExternalStore } from "react";

/**
 * Counts from `seconds` down to 0; starts again when `seconds` or `key` changes. Measured against a deadline, so that
 * time while the machine sleeps counts.
 */
export function useCountdown(seconds: number, key?: unknown): number {
  const { subscribe, left } = useMemo(() => countdown(seconds, key), [seconds, key]);
  return useSyncExternalStore(subscribe, left, () => seconds);
}

function countdown(seconds: number, _key: unknown) {
  const deadline = Date.now() + seconds * 1000;
  const left = () => Math.max(0, Math.ceil((deadline - Date.now()) / 1000));
  const subscribe = (changed: () => void) => {
    const timer = setInterval(() => {
      changed();
      if (left() === 0) {
        clearInterval(timer);
      }
    }, 250);
    return () => clearInterval(timer);
  };
  return { subscribe, left };
}
