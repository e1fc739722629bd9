import type { ApiKey } from "@cloakroom/client";
import { useEffect, useRef, useState } from "react";
import { Notice } from "../components/Alert.js";
import { Timestamp } from "../components/Timestamp.js";
import { formatDate } from "../format.js";

interface ApiKeySecretProps {
  apiKey: ApiKey;
  secret: string;
  onDone: () => void;
}

/** The secret of a new API key, which the server shows only once. */
export function ApiKeySecret({ apiKey: { name, expires_at }, secret, onDone }: ApiKeySecretProps) {
  const code = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const [notice, setNotice] = useState("");
  useEffect(() => heading.current?.focus(), []);

  async function copy() {
    try {
      await navigator.clipboard.writeText(secret);
      setNotice("Copied.");
    } catch {
      if (code.current) {
        getSelection()?.selectAllChildren(code.current);
      }
      setNotice("Your browser does not allow copying. The key is selected: copy it yourself.");
    }
  }

  return (
    <div className="api-key-secret">
      <h3 ref={heading} tabIndex={-1}>
        Copy the key {name} now
      </h3>
      <p>
        It will not be shown again.{" "}
        {expires_at ? (
          <>
            It expires on <Timestamp at={expires_at} as={formatDate} />.
          </>
        ) : (
          "It never expires."
        )}
      </p>
      <code ref={code}>{secret}</code>
      <div className="actions">
        <button type="button" className="main" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" onClick={onDone}>
          Done
        </button>
      </div>
      <Notice>{notice}</Notice>
    </div>
  );
}
