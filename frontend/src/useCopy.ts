import { type RefObject, useRef, useState } from "react";

interface Copy {
  copy: (text: string) => Promise<void>;
  /** The element that shows the text. It is selected where the browser does not allow copying. */
  source: RefObject<HTMLElement | null>;
  /** What came of it. */
  notice: string;
}

/** Copies a text to the clipboard. */
export function useCopy(): Copy {
  const source = useRef<HTMLElement>(null);
  const [notice, setNotice] = useState("");

  async function copy(text: string) {
    try {
      await navigator.clipboard.writeText(text);
      setNotice("Copied.");
    } catch {
      if (source.current) {
        getSelection()?.selectAllChildren(source.current);
      }
      setNotice("Your browser does not allow copying. The text is selected: copy it yourself.");
    }
  }
  return { copy, source, notice };
}
