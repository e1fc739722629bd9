// Which pages are for whom. Until it is known who is signed in they show nothing, so that nobody sees the wrong side.

import { RequireAuth, useAuth } from "@cloakroom/client/react";
import { Navigate, Outlet, useLocation } from "react-router";
import { Unreachable } from "../pages/Unreachable.js";

/** For those who are signed in; others sign in first, and come back. */
export function SignedIn() {
  return (
    <RequireAuth
      otherwise={<ToSignIn />}
      unreachable={(error, retry) => <Unreachable {...{ error, retry }} />}
    >
      <Outlet />
    </RequireAuth>
  );
}

/** The way back stands in the state of the history, which no link can set; a query could send people anywhere. */
function ToSignIn() {
  const auth = useAuth();
  const { pathname } = useLocation();
  const left = auth.status === "signed-out" && (auth.reason === "signed-out" || auth.reason === "deleted");
  return <Navigate to="/sign-in" replace state={left ? null : { from: pathname }} />;
}

/** For those who are not; others go on to where they wanted. */
export function SignedOut() {
  const auth = useAuth();
  const { state } = useLocation();
  switch (auth.status) {
    case "signed-in":
      return <Navigate to={wayBack(state)} replace />;
    case "signed-out":
      return <Outlet />;
    case "unreachable":
      return <Unreachable error={auth.error} retry={() => void auth.client.restore()} />;
    default:
      return null;
  }
}

/** Where `ToSignIn` said one came from, or home. */
export function wayBack(state: unknown): string {
  const from = (state as { from?: unknown } | null)?.from;
  return typeof from === "string" && /^\/(?![/\\])/.test(from) ? from : "/";
}
