// A fake of the parts of a page that a sign-in by another provider uses: its address, its history and what the tab keeps.

import { vi } from "vitest";

export class FakePage {
  /** Where the browser was sent. */
  readonly left: string[] = [];
  readonly stored = new Map<string, string>();
  readonly location = {
    pathname: "/sign-in/provider",
    search: "?lang=en",
    hash: "",
    assign: (url: string) => void this.left.push(url),
  };
  readonly replaced: unknown[][] = [];

  install() {
    vi.stubGlobal("location", this.location);
    vi.stubGlobal("history", {
      state: { idx: 0 },
      replaceState: (...given: unknown[]) => {
        this.replaced.push(given);
        this.location.hash = "";
      },
    });
    vi.stubGlobal("sessionStorage", {
      getItem: (key: string) => this.stored.get(key) ?? null,
      setItem: (key: string, value: string) => void this.stored.set(key, value),
      removeItem: (key: string) => void this.stored.delete(key),
    });
  }

  /** The provider sends the browser back with this fragment. */
  comesBackWith(fragment: string) {
    this.location.hash = `#${fragment}`;
  }
}
