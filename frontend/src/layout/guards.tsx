// Route guards. They render nothing until the sign-in state is known, so that a page never flashes up for the wrong user.

import { RequireAuth, useAuth } from "@cloakroom/client/react";
import { Navigate, Outlet, useLocation } from "react-router";
import { Unreachable } from "../pages/Unreachable.js";

/** Requires a signed-in user; redirects others to sign-in, which leads back. */
export function RequireSignedIn() {
  return (
    <RequireAuth
      otherwise={<RedirectToSignIn />}
      unreachable={(error, retry) => <Unreachable {...{ error, retry }} />}
    >
      <Outlet />
    </RequireAuth>
  );
}

/** Keeps the return path in the history state: links cannot set it, so it is not an open redirect. */
function RedirectToSignIn() {
  const auth = useAuth();
  const { pathname } = useLocation();
  const leftOnPurpose =
    auth.status === "signed-out" && (auth.reason === "signed-out" || auth.reason === "deleted");
  return <Navigate to="/sign-in" replace state={leftOnPurpose ? null : { from: pathname }} />;
}

/** Requires a signed-out user; redirects others to their return path. */
export function RequireSignedOut() {
  const auth = useAuth();
  const { state } = useLocation();
  switch (auth.status) {
    case "signed-in":
      return <Navigate to={returnPath(state)} replace />;
    case "signed-out":
    case "second-factor":
    case "restricted":
      return <Outlet />;
    case "unreachable":
      return <Unreachable error={auth.error} retry={() => void auth.client.restore()} />;
    default:
      return null;
  }
}

/** The local path set by `RedirectToSignIn`, else `/`. */
export function returnPath(state: unknown): string {
  const from = (state as { from?: unknown } | null)?.from;
  return typeof from === "string" && /^\/(?![/\\])/.test(from) ? from : "/";
}
