// Tabs of a browser notify each other of sign-in and sign-out: by BroadcastChannel, else by storage events, else not at
// all.

/** A user signed in; or the user with that id signed out, where 0 means any user. */
export type TabMessage = "signed-in" | number;

export interface TabChannel {
  post(message: TabMessage): void;
  close(): void;
}

export function openTabChannel(name: string | false, onMessage: (message: TabMessage) => void): TabChannel {
  if (name && typeof BroadcastChannel === "function") {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => onMessage(data);
    // In Node an open channel keeps the process alive.
    (channel as { unref?(): void }).unref?.();
    return { post: (message) => channel.postMessage(message), close: () => channel.close() };
  }
  if (name && typeof addEventListener === "function") {
    const key = `${name}:message`;
    const listener = (event: StorageEvent) => {
      if (event.key === key && event.newValue) {
        onMessage(JSON.parse(event.newValue));
      }
    };
    addEventListener("storage", listener);
    return {
      post(message) {
        try {
          localStorage.setItem(key, JSON.stringify(message));
          localStorage.removeItem(key);
        } catch {}
      },
      close: () => removeEventListener("storage", listener),
    };
  }
  return { post() {}, close() {} };
}
