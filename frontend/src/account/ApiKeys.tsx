import type { ApiKey } from "@cloakroom/client";
import { useClient } from "@cloakroom/client/react";
import { useState } from "react";
import { Notice } from "../components/Alert.js";
import { LoadError } from "../components/LoadError.js";
import { Skeleton } from "../components/Skeleton.js";
import { Timestamp } from "../components/Timestamp.js";
import { formatDate } from "../format.js";
import { useFocusAfterRender } from "../useFocusAfterRender.js";
import { useLoad } from "../useLoad.js";
import { ApiKeySecret } from "./ApiKeySecret.js";
import { CreateApiKey } from "./CreateApiKey.js";
import { RenameApiKey } from "./RenameApiKey.js";
import { RevokeApiKey } from "./RevokeApiKey.js";
import { Section } from "./Section.js";

type Action = { kind: "create" } | { kind: "rename" | "revoke"; key: ApiKey } | null;

/** The user's API keys: list, create, rename, revoke. */
export function ApiKeys() {
  const client = useClient();
  const focus = useFocusAfterRender();
  const { data, error, reload, update } = useLoad(
    async (signal) => (await client.listApiKeys({}, { signal })).api_keys,
  );
  const [action, setAction] = useState<Action>(null);
  const [created, setCreated] = useState<{ apiKey: ApiKey; secret: string } | null>(null);
  const [notice, setNotice] = useState("");

  function startAction(next: Action) {
    setNotice("");
    setAction(next);
  }

  function endAction(focusOn: string) {
    setAction(null);
    focus(focusOn);
  }

  function replace(key: ApiKey) {
    update((last) => last.map((each) => (each.id === key.id ? key : each)));
  }

  return (
    <Section
      id="api-keys"
      title="API keys"
      lead="For scripts and services. A key is limited to its scopes and cannot manage your account. A new password revokes your keys unless you keep them."
    >
      <Notice>{notice}</Notice>
      {created && (
        <ApiKeySecret
          {...created}
          onDone={() => {
            setCreated(null);
            focus("new-api-key");
          }}
        />
      )}
      {error && <LoadError error={error} retry={reload} />}
      {!data && !error && <Skeleton rows={1} />}
      {data && data.length > 0 && (
        <ul className="lines">
          {data.map((key) => (
            <li key={key.id}>
              {action?.kind === "rename" && action.key.id === key.id ? (
                <RenameApiKey
                  apiKey={key}
                  onRenamed={(renamed) => {
                    replace(renamed);
                    endAction(`rename-${key.id}`);
                  }}
                  onCancel={() => endAction(`rename-${key.id}`)}
                />
              ) : (
                <Row apiKey={key} onAction={(kind) => startAction({ kind, key })} />
              )}
            </li>
          ))}
        </ul>
      )}
      {action?.kind === "create" && (
        <CreateApiKey
          onCreated={({ key, api_key }) => {
            update((last) => [api_key, ...last]);
            setCreated({ apiKey: api_key, secret: key });
            setAction(null);
          }}
          onCancel={() => endAction("new-api-key")}
        />
      )}
      {data && action?.kind !== "create" && !created && (
        <button type="button" id="new-api-key" onClick={() => startAction({ kind: "create" })}>
          New API key
        </button>
      )}
      {action?.kind === "revoke" && (
        <RevokeApiKey
          apiKey={action.key}
          onRevoked={() => {
            replace({ ...action.key, revoked_at: new Date().toISOString() });
            setNotice(`${action.key.name} no longer works.`);
            endAction("api-keys-title");
          }}
          onClose={() => setAction(null)}
        />
      )}
    </Section>
  );
}

function Row({ apiKey, onAction }: { apiKey: ApiKey; onAction: (kind: "rename" | "revoke") => void }) {
  const { id, name, prefix, last_four, scopes, last_used_at, expires_at, revoked_at } = apiKey;
  const expired = expires_at !== null && new Date(expires_at) <= new Date();
  return (
    <div className="row">
      <div className="row-text">
        <p>
          <b>{name}</b>{" "}
          {revoked_at ? (
            <span className="badge pale">Revoked</span>
          ) : (
            expired && <span className="badge pale">Expired</span>
          )}
        </p>
        <p className="meta">
          <code>{`${prefix}…${last_four}`}</code> · {scopes.join(", ")}
        </p>
        <p className="meta">
          {last_used_at ? (
            <>
              Last used <Timestamp at={last_used_at} />
            </>
          ) : (
            "Never used"
          )}
          {" · "}
          {expires_at ? (
            <>
              {expired ? "expired" : "expires"} <Timestamp at={expires_at} as={formatDate} />
            </>
          ) : (
            "never expires"
          )}
        </p>
      </div>
      {!revoked_at && (
        <div className="actions">
          <button type="button" id={`rename-${id}`} onClick={() => onAction("rename")}>
            Rename <span className="visually-hidden">{name}</span>
          </button>
          <button type="button" className="plain soft" onClick={() => onAction("revoke")}>
            Revoke <span className="visually-hidden">{name}</span>
          </button>
        </div>
      )}
    </div>
  );
}
