// Links from mails have a token in their path. It leaves the address before anything is asked, so that it is in no
// history, no bookmark and no screenshot; the state of the history keeps it over a reload.

import { Navigate, useLocation, useParams } from "react-router";

/** Goes on to the same page without the token in its address. */
export function TakeToken({ to }: { to: string }) {
  const { token } = useParams();
  return <Navigate to={to} replace state={{ token }} />;
}

/** The token that `TakeToken` took; `null` for who came here without a link. */
export function useMailedToken(): string | null {
  const token = (useLocation().state as { token?: unknown } | null)?.token;
  return typeof token === "string" ? token : null;
}
