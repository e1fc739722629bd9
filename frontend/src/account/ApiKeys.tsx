import type { ApiKey } from "@cloakroom/client";
import { useClient } from "@cloakroom/client/react";
import { useState } from "react";
import { useFocusLater } from "../focus.js";
import { useLoad } from "../load.js";
import { Notice } from "../parts/Alert.js";
import { Problem } from "../parts/Problem.js";
import { Skeleton } from "../parts/Skeleton.js";
import { Time } from "../parts/Time.js";
import { day } from "../words.js";
import { NewApiKey } from "./NewApiKey.js";
import { RenameKey } from "./RenameKey.js";
import { RevokeKey } from "./RevokeKey.js";
import { Section } from "./Section.js";
import { ShownOnce } from "./ShownOnce.js";

type Doing = { what: "making" } | { what: "renaming" | "revoking"; key: ApiKey } | null;

/** Credentials for the user's own programs. */
export function ApiKeys() {
  const client = useClient();
  const focus = useFocusLater();
  const { data, error, reload, change } = useLoad(
    async (signal) => (await client.listApiKeys({}, { signal })).api_keys,
  );
  const [doing, setDoing] = useState<Doing>(null);
  const [made, setMade] = useState<{ name: string; secret: string } | null>(null);
  const [said, setSaid] = useState("");

  function begin(next: Doing) {
    setSaid("");
    setDoing(next);
  }

  function end(focusOn: string) {
    setDoing(null);
    focus(focusOn);
  }

  function put(key: ApiKey) {
    change((last) => last.map((each) => (each.id === key.id ? key : each)));
  }

  return (
    <Section
      id="keys"
      title="API keys"
      lead="For programs of yours. A key does what its scopes say, and never manages your account."
    >
      <Notice>{said}</Notice>
      {made && (
        <ShownOnce
          {...made}
          onDone={() => {
            setMade(null);
            focus("new-key");
          }}
        />
      )}
      {error && <Problem error={error} retry={reload} />}
      {!data && !error && <Skeleton rows={1} />}
      {data && data.length > 0 && (
        <ul className="lines">
          {data.map((key) => (
            <li key={key.id}>
              {doing?.what === "renaming" && doing.key.id === key.id ? (
                <RenameKey
                  apiKey={key}
                  onRenamed={(renamed) => {
                    put(renamed);
                    end(`rename-${key.id}`);
                  }}
                  onCancel={() => end(`rename-${key.id}`)}
                />
              ) : (
                <Row apiKey={key} onBegin={(what) => begin({ what, key })} />
              )}
            </li>
          ))}
        </ul>
      )}
      {doing?.what === "making" && (
        <NewApiKey
          onMade={({ key, api_key }) => {
            change((last) => [api_key, ...last]);
            setMade({ name: api_key.name, secret: key });
            setDoing(null);
          }}
          onCancel={() => end("new-key")}
        />
      )}
      {data && doing?.what !== "making" && !made && (
        <button type="button" id="new-key" onClick={() => begin({ what: "making" })}>
          New API key
        </button>
      )}
      {doing?.what === "revoking" && (
        <RevokeKey
          apiKey={doing.key}
          onRevoked={() => {
            put({ ...doing.key, revoked_at: new Date().toISOString() });
            setSaid(`${doing.key.name} no longer works.`);
            end("keys-title");
          }}
          onClose={() => setDoing(null)}
        />
      )}
    </Section>
  );
}

function Row({ apiKey, onBegin }: { apiKey: ApiKey; onBegin: (what: "renaming" | "revoking") => void }) {
  const { id, name, prefix, last_four, scopes, last_used_at, expires_at, revoked_at } = apiKey;
  const expired = expires_at !== null && new Date(expires_at) <= new Date();
  return (
    <div className="row">
      <div className="what">
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
              Last used <Time at={last_used_at} />
            </>
          ) : (
            "Never used"
          )}
          {expires_at && (
            <>
              {" · "}
              {expired ? "ended" : "ends"} <Time at={expires_at} as={day} />
            </>
          )}
        </p>
      </div>
      {!revoked_at && (
        <div className="actions">
          <button type="button" id={`rename-${id}`} onClick={() => onBegin("renaming")}>
            Rename <span className="unseen">{name}</span>
          </button>
          <button type="button" className="plain soft" onClick={() => onBegin("revoking")}>
            Revoke <span className="unseen">{name}</span>
          </button>
        </div>
      )}
    </div>
  );
}
