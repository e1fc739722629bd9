import type { ReactNode } from "react";
import type { CloakroomError } from "../error.js";
import { useAuth } from "./provider.js";

export interface RequireAuthProps {
  children: ReactNode;
  /** Shown while signed out, while a second factor is missing, or with a credential that must not read its user: a form or a redirect. */
  otherwise: ReactNode;
  /** Shown until the state is known; default: nothing. */
  loading?: ReactNode;
  /** Shown while the server cannot be reached. */
  unreachable?: ReactNode | ((error: CloakroomError, retry: () => void) => ReactNode);
}

/** Renders its children for a signed-in user; never before the state is known. */
export function RequireAuth({
  children,
  otherwise,
  loading = null,
  unreachable = defaultUnreachable,
}: RequireAuthProps) {
  const auth = useAuth();
  switch (auth.status) {
    case "signed-in":
      return children;
    case "signed-out":
    case "second-factor":
    case "restricted":
      return otherwise;
    case "unreachable":
      return typeof unreachable === "function"
        ? unreachable(auth.error, () => void auth.client.restore())
        : unreachable;
    default:
      return loading;
  }
}

function defaultUnreachable(error: CloakroomError, retry: () => void): ReactNode {
  return (
    <p role="alert">
      {error.message}.{" "}
      <button type="button" onClick={retry}>
        Try again
      </button>
    </p>
  );
}
