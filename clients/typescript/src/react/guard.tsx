import type { ReactNode } from "react";
import type { CloakroomError } from "../error.js";
import { useAuth } from "./provider.js";

export interface RequireAuthProps {
  children: ReactNode;
  /** Shown to those who are not signed in: a form, or a redirect. */
  otherwise: ReactNode;
  /** Shown until it is known who is signed in; nothing by default. */
  loading?: ReactNode;
  /** Shown where the server could not be asked. */
  unreachable?: ReactNode | ((error: CloakroomError, retry: () => void) => ReactNode);
}

/** Its children for those who are signed in; never the wrong side meanwhile. */
export function RequireAuth({
  children,
  otherwise,
  loading = null,
  unreachable = sayUnreachable,
}: RequireAuthProps) {
  const auth = useAuth();
  switch (auth.status) {
    case "signed-in":
      return children;
    case "signed-out":
      return otherwise;
    case "unreachable":
      return typeof unreachable === "function"
        ? unreachable(auth.error, () => void auth.client.restore())
        : unreachable;
    default:
      return loading;
  }
}

function sayUnreachable(error: CloakroomError, retry: () => void): ReactNode {
  return (
    <p role="alert">
      {error.message}.{" "}
      <button type="button" onClick={retry}>
        Try again
      </button>
    </p>
  );
}
