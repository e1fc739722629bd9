import type { ApiKey } from "@cloakroom/client";
import { useEffect, useRef } from "react";
import { Notice } from "../components/Alert.js";
import { Timestamp } from "../components/Timestamp.js";
import { formatDate } from "../format.js";
import { useCopy } from "../useCopy.js";

interface ApiKeySecretProps {
  apiKey: ApiKey;
  secret: string;
  onDone: () => void;
}

/** The secret of a new API key, which the server shows only once. */
export function ApiKeySecret({ apiKey: { name, expires_at }, secret, onDone }: ApiKeySecretProps) {
  const { copy, source, notice } = useCopy();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  return (
    <div className="shown-once">
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
      <code ref={source}>{secret}</code>
      <div className="actions">
        <button type="button" className="main" onClick={() => void copy(secret)}>
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
