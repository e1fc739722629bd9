import { type ReactNode, useSyncExternalStore } from "react";

/** What concerns every page, at the foot of the window, where it moves nothing. */
export function Banner({ trouble }: { trouble: ReactNode }) {
  const online = useOnline();
  return (
    <div className="banners">
      {trouble && (
        <p className="banner" role="alert">
          {trouble}
        </p>
      )}
      <div role="status">
        {!online && <p className="banner">You are offline. What you see may be old.</p>}
      </div>
    </div>
  );
}

export function useOnline(): boolean {
  return useSyncExternalStore(listen, () => navigator.onLine);
}

function listen(changed: () => void) {
  addEventListener("online", changed);
  addEventListener("offline", changed);
  return () => {
    removeEventListener("online", changed);
    removeEventListener("offline", changed);
  };
}
