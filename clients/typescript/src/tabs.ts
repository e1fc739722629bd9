// How the tabs of a browser tell each other of sign-in and sign-out: by BroadcastChannel; where it is missing by the
// events of local storage; where that is missing, too, not at all.

/** Somebody signed in, or that user signed out (0: whoever it was). */
export type News = "in" | number;

export interface Tabs {
  tell(news: News): void;
  close(): void;
}

export function openTabs(name: string | false, hear: (news: News) => void): Tabs {
  if (name && typeof BroadcastChannel === "function") {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => hear(data);
    // In Node a channel would keep the process alive.
    (channel as { unref?(): void }).unref?.();
    return { tell: (news) => channel.postMessage(news), close: () => channel.close() };
  }
  if (name && typeof addEventListener === "function") {
    const key = `${name}:news`;
    const listener = (event: StorageEvent) => {
      if (event.key === key && event.newValue) {
        hear(JSON.parse(event.newValue));
      }
    };
    addEventListener("storage", listener);
    return {
      tell(news) {
        try {
          localStorage.setItem(key, JSON.stringify(news));
          localStorage.removeItem(key);
        } catch {}
      },
      close: () => removeEventListener("storage", listener),
    };
  }
  return { tell() {}, close() {} };
}
