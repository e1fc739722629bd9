import { useEffect, useRef, useState } from "react";
import { Notice } from "../parts/Alert.js";

interface ShownOnceProps {
  name: string;
  secret: string;
  onDone: () => void;
}

/** A new key, which is never shown again. */
export function ShownOnce({ name, secret, onDone }: ShownOnceProps) {
  const code = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const [said, setSaid] = useState("");
  useEffect(() => heading.current?.focus(), []);

  async function copy() {
    try {
      await navigator.clipboard.writeText(secret);
      setSaid("Copied.");
    } catch {
      if (code.current) {
        getSelection()?.selectAllChildren(code.current);
      }
      setSaid("Your browser does not let us copy. The key is selected: copy it yourself.");
    }
  }

  return (
    <div className="once">
      <h3 ref={heading} tabIndex={-1}>
        Copy the key of {name} now
      </h3>
      <p>It is shown this once, and nobody can show it again.</p>
      <code ref={code}>{secret}</code>
      <div className="actions">
        <button type="button" className="main" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" onClick={onDone}>
          I have it
        </button>
      </div>
      <Notice>{said}</Notice>
    </div>
  );
}
