import { type ReactNode, useSyncExternalStore } from "react";

/** Messages that concern every page, at the bottom of the window, where they shift no content. */
export function Banner({ error }: { error: ReactNode }) {
  const online = useOnline();
  return (
    <div className="banners">
      {error && (
        <p className="banner" role="alert">
          {error}
        </p>
      )}
      <div role="status">
        {!online && <p className="banner">You are offline. This page may be out of date.</p>}
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
