import { useEffect, useRef } from "react";
import { Notice } from "../components/Alert.js";
import { useCopy } from "../useCopy.js";

interface RecoveryCodesProps {
  codes: string[];
  onDone: () => void;
}

/** New recovery codes, which the server shows only once. */
export function RecoveryCodes({ codes, onDone }: RecoveryCodesProps) {
  const { copy, source, notice } = useCopy();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const text = `${codes.join("\n")}\n`;

  return (
    <div className="shown-once">
      <h3 ref={heading} tabIndex={-1}>
        Save your recovery codes now
      </h3>
      <p>
        If you lose the app, each of these signs you in once. They will not be shown again. Earlier codes no
        longer work.
      </p>
      <code className="codes" ref={source}>
        {codes.map((code) => (
          <span key={code}>{code}</span>
        ))}
      </code>
      <div className="actions">
        <button type="button" className="main" onClick={() => void copy(text)}>
          Copy
        </button>
        <button type="button" onClick={() => download("cloakroom-recovery-codes.txt", text)}>
          Download
        </button>
        <button type="button" onClick={onDone}>
          Done
        </button>
      </div>
      <Notice>{notice}</Notice>
    </div>
  );
}

function download(name: string, text: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
