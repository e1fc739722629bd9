import type { LinkedIdentity, Provider } from "@cloakroom/client/providers";
import { useProviders } from "@cloakroom/client/react/providers";
import { useEffect, useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { Notice } from "../components/Alert.js";
import { LoadError } from "../components/LoadError.js";
import { Timestamp } from "../components/Timestamp.js";
import { useFocusAfterRender } from "../useFocusAfterRender.js";
import { LinkAccount } from "./LinkAccount.js";
import { useSignInMethods } from "./SignInMethodsContext.js";
import { UnlinkAccount } from "./UnlinkAccount.js";

type Action =
  | { kind: "link"; provider: Provider }
  | { kind: "unlink"; identity: LinkedIdentity; name: string }
  | null;

const TITLE = "linked-accounts-title";

/** The user's accounts at other providers: list, link, unlink. Absent where the server has no providers. */
export function LinkedAccounts({ onUnlinked }: { onUnlinked: () => void }) {
  const providers = useProviders();
  const { identities, hasOneWay } = useSignInMethods();
  const { data, error, reload } = identities;
  const focus = useFocusAfterRender();
  const [action, setAction] = useState<Action>(null);
  const [notice, setNotice] = useState("");
  const linked = useTakeLinked();
  const nameOf = (id: string) => providers.find((provider) => provider.id === id)?.name ?? id;
  const isLoaded = !!data && providers.length > 0;
  useEffect(() => {
    if (linked && isLoaded) {
      focus(TITLE);
    }
  }, [linked, isLoaded, focus]);
  if (providers.length === 0 && !data?.length) {
    return null;
  }

  function startAction(next: Action) {
    setNotice("");
    setAction(next);
  }

  const rest = providers.filter(({ id }) => !data?.some((identity) => identity.provider === id));
  return (
    <div className="method">
      <h3 id={TITLE} tabIndex={-1}>
        Linked accounts
      </h3>
      <p className="lead">Sign in with your account at another provider.</p>
      <Notice>
        {notice || (linked && !action && `${nameOf(linked)} is linked. You can sign in with it now.`)}
      </Notice>
      {error && <LoadError error={error} retry={reload} />}
      {data && data.length > 0 && (
        <ul className="lines">
          {data.map((identity) => (
            <li key={identity.id}>
              <Row
                identity={identity}
                name={nameOf(identity.provider)}
                isLast={hasOneWay}
                onUnlink={() => startAction({ kind: "unlink", identity, name: nameOf(identity.provider) })}
              />
            </li>
          ))}
        </ul>
      )}
      {data && rest.length > 0 && (
        <div className="actions">
          {rest.map((provider) => (
            <button key={provider.id} type="button" onClick={() => startAction({ kind: "link", provider })}>
              Link {provider.name}
            </button>
          ))}
        </div>
      )}
      {action?.kind === "link" && <LinkAccount provider={action.provider} onClose={() => setAction(null)} />}
      {action?.kind === "unlink" && (
        <UnlinkAccount
          identity={action.identity}
          name={action.name}
          onUnlinked={() => {
            setNotice(`${action.name} was unlinked. It no longer signs you in.`);
            setAction(null);
            reload();
            onUnlinked();
            focus(TITLE);
          }}
          onClose={() => setAction(null)}
        />
      )}
    </div>
  );
}

interface RowProps {
  identity: LinkedIdentity;
  name: string;
  /** Whether the user has no other way to sign in. */
  isLast: boolean;
  onUnlink: () => void;
}

function Row({ identity: { email, created_at, last_used_at }, name, isLast, onUnlink }: RowProps) {
  return (
    <div className="row">
      <div className="row-text">
        <p>
          <b>{name}</b> {email}
        </p>
        <p className="meta">
          Linked <Timestamp at={created_at} />
          {" · last used "}
          <Timestamp at={last_used_at} />
        </p>
        {isLast && (
          <p className="meta">
            This is your only way to sign in. Set a password or add a passkey before you unlink it.
          </p>
        )}
      </div>
      {!isLast && (
        <button type="button" className="plain soft" onClick={onUnlink}>
          Unlink{" "}
          <span className="visually-hidden">
            {name} {email}
          </span>
        </button>
      )}
    </div>
  );
}

/** The provider that was linked just now. It leaves the history, so that a reload does not report it again. */
function useTakeLinked(): string {
  const navigate = useNavigate();
  const given = (useLocation().state as { linked?: unknown } | null)?.linked;
  const [linked, setLinked] = useState("");
  useEffect(() => {
    if (typeof given === "string") {
      setLinked(given);
      void navigate("/account", { replace: true, state: null });
    }
  }, [given, navigate]);
  return linked;
}
