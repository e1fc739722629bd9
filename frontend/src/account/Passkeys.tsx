import type { Passkey } from "@cloakroom/client/passkeys";
import { usePasskeysSupported } from "@cloakroom/client/react/passkeys";
import { useState } from "react";
import { Notice } from "../components/Alert.js";
import { LoadError } from "../components/LoadError.js";
import { Skeleton } from "../components/Skeleton.js";
import { Timestamp } from "../components/Timestamp.js";
import { useFocusAfterRender } from "../useFocusAfterRender.js";
import { AddPasskey } from "./AddPasskey.js";
import { RemovePasskey } from "./RemovePasskey.js";
import { RenamePasskey } from "./RenamePasskey.js";
import { useSignInMethods } from "./SignInMethodsContext.js";

type Action = { kind: "add" } | { kind: "rename" | "remove"; passkey: Passkey } | null;

/** The user's passkeys: list, add, rename, remove. */
export function Passkeys() {
  const { passkeys, hasOneWay } = useSignInMethods();
  const { data, error, reload, update } = passkeys;
  const supported = usePasskeysSupported();
  const focus = useFocusAfterRender();
  const [action, setAction] = useState<Action>(null);
  const [notice, setNotice] = useState("");
  if (error?.code === "not_found") {
    // The server has no domain to make passkeys for.
    return null;
  }

  function startAction(next: Action) {
    setNotice("");
    setAction(next);
  }

  function endAction(focusOn: string) {
    setAction(null);
    focus(focusOn);
  }

  return (
    <div className="method">
      <h3 id="passkeys-title" tabIndex={-1}>
        Passkeys
      </h3>
      <p className="lead">
        Sign in with your fingerprint, your face or your device's screen lock instead of a password.
      </p>
      <Notice>{notice}</Notice>
      {error && <LoadError error={error} retry={reload} />}
      {!data && !error && <Skeleton rows={1} />}
      {data && data.passkeys.length > 0 && (
        <ul className="lines">
          {data.passkeys.map((passkey) => (
            <li key={passkey.id}>
              {action?.kind === "rename" && action.passkey.id === passkey.id ? (
                <RenamePasskey
                  passkey={passkey}
                  onRenamed={(renamed) => {
                    update((last) => ({
                      ...last,
                      passkeys: last.passkeys.map((each) => (each.id === renamed.id ? renamed : each)),
                    }));
                    endAction(`rename-passkey-${passkey.id}`);
                  }}
                  onCancel={() => endAction(`rename-passkey-${passkey.id}`)}
                />
              ) : (
                <Row
                  passkey={passkey}
                  isLast={hasOneWay}
                  onAction={(kind) => startAction({ kind, passkey })}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      {action?.kind === "add" && (
        <AddPasskey
          onAdded={({ name }) => {
            setNotice(`${name} was added. You can sign in with it now.`);
            reload();
            endAction("passkeys-title");
          }}
          onCancel={() => endAction("add-passkey")}
        />
      )}
      {data && !supported && <p className="meta">This browser doesn't support passkeys.</p>}
      {data && supported && action?.kind !== "add" && (
        <button type="button" id="add-passkey" onClick={() => startAction({ kind: "add" })}>
          Add a passkey
        </button>
      )}
      {action?.kind === "remove" && (
        <RemovePasskey
          passkey={action.passkey}
          onRemoved={() => {
            setNotice(`${action.passkey.name} was removed. It no longer signs you in.`);
            reload();
            endAction("passkeys-title");
          }}
          onClose={() => setAction(null)}
        />
      )}
    </div>
  );
}

interface RowProps {
  passkey: Passkey;
  /** Whether the user has no other way to sign in. */
  isLast: boolean;
  onAction: (kind: "rename" | "remove") => void;
}

function Row({ passkey: { id, name, created_at, last_used_at, backed_up }, isLast, onAction }: RowProps) {
  return (
    <div className="row">
      <div className="row-text">
        <p>
          <b>{name}</b>{" "}
          {backed_up ? (
            <span className="badge">Synced</span>
          ) : (
            <span className="badge pale">On one device</span>
          )}
        </p>
        <p className="meta">
          Added <Timestamp at={created_at} />
          {" · "}
          {last_used_at ? (
            <>
              last used <Timestamp at={last_used_at} />
            </>
          ) : (
            "never used"
          )}
        </p>
        {isLast && (
          <p className="meta">
            This is your only way to sign in. Add another passkey or set a password before you remove it.
          </p>
        )}
      </div>
      <div className="actions">
        <button type="button" id={`rename-passkey-${id}`} onClick={() => onAction("rename")}>
          Rename <span className="visually-hidden">{name}</span>
        </button>
        {!isLast && (
          <button type="button" className="plain soft" onClick={() => onAction("remove")}>
            Remove <span className="visually-hidden">{name}</span>
          </button>
        )}
      </div>
    </div>
  );
}
