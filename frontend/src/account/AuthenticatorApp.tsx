import { useAuth } from "@cloakroom/client/react";
import { useState } from "react";
import { Notice } from "../components/Alert.js";
import { LoadError } from "../components/LoadError.js";
import { Skeleton } from "../components/Skeleton.js";
import { Timestamp } from "../components/Timestamp.js";
import { pluralize } from "../format.js";
import { useFocusAfterRender } from "../useFocusAfterRender.js";
import { RecoveryCodes } from "./RecoveryCodes.js";
import { RemoveAuthenticator } from "./RemoveAuthenticator.js";
import { ReplaceRecoveryCodes } from "./ReplaceRecoveryCodes.js";
import { SetUpAuthenticator } from "./SetUpAuthenticator.js";
import { useSignInMethods } from "./SignInMethodsContext.js";

/** Fewer recovery codes than these are pointed out. */
const FEW = 3;

/** The authenticator app with its recovery codes. */
export function AuthenticatorApp() {
  const auth = useAuth();
  const isRequired = auth.status === "signed-in" && Boolean(auth.session?.enrol_until);
  const focus = useFocusAfterRender();
  const { data, error, reload } = useSignInMethods().factors;
  const [action, setAction] = useState<"set-up" | "replace" | "remove" | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [notice, setNotice] = useState("");
  const app = data?.factors.find(({ kind }) => kind === "totp");

  function startAction(next: typeof action) {
    setNotice("");
    setAction(next);
  }

  function showCodes(next: string[]) {
    setCodes(next);
    setAction(null);
    reload();
  }

  return (
    <div className="method">
      <h3 id="app-title" tabIndex={-1}>
        Authenticator app
      </h3>
      <p className="lead">
        With an authenticator app, signing in by password also takes a code from the app, or a passkey.
      </p>
      <Notice>
        {notice && (isRequired ? `${notice} Set up another.` : `${notice} Signing in takes one step again.`)}
      </Notice>
      {codes && (
        <RecoveryCodes
          codes={codes}
          onDone={() => {
            setCodes(null);
            focus("app-title");
          }}
        />
      )}
      {error && <LoadError error={error} retry={reload} />}
      {!data && !error && <Skeleton rows={1} />}
      {data && app && (
        <ul className="lines">
          <li className="row">
            <div className="row-text">
              <p>
                <b>Authenticator app</b> <span className="badge">On</span>
              </p>
              <p className="meta">
                Set up <Timestamp at={app.created_at} />
              </p>
            </div>
            <button type="button" className="plain soft" onClick={() => startAction("remove")}>
              Remove <span className="visually-hidden">the authenticator app</span>
            </button>
          </li>
          <li className="row">
            <div className="row-text">
              <p>
                <b>Recovery codes</b>{" "}
                {data.recovery_codes_left < FEW && <span className="badge pale">Make new ones</span>}
              </p>
              <p className="meta">{pluralize(data.recovery_codes_left, "code")} left</p>
            </div>
            <button type="button" onClick={() => startAction("replace")}>
              New codes
            </button>
          </li>
        </ul>
      )}
      {action === "set-up" && (
        <SetUpAuthenticator
          onDone={showCodes}
          onCancel={() => {
            setAction(null);
            focus("set-up-app");
          }}
        />
      )}
      {data && !app && !codes && action !== "set-up" && (
        <button type="button" id="set-up-app" onClick={() => startAction("set-up")}>
          Set up an authenticator app
        </button>
      )}
      {action === "replace" && <ReplaceRecoveryCodes onDone={showCodes} onClose={() => setAction(null)} />}
      {action === "remove" && (
        <RemoveAuthenticator
          onDone={() => {
            setAction(null);
            setCodes(null);
            setNotice("The authenticator app is removed.");
            reload();
            focus("app-title");
          }}
          onClose={() => setAction(null)}
        />
      )}
    </div>
  );
}
