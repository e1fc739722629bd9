// Mailed links have a token in their path. It is moved from the URL to the history state before the first request:
// reloads keep it, and it does not show up in the history, in bookmarks or in screenshots.

import { Navigate, useLocation, useParams } from "react-router";

/** Redirects to the page without the token in its URL. */
export function StripLinkToken({ to }: { to: string }) {
  const { token } = useParams();
  return <Navigate to={to} replace state={{ token }} />;
}

/** The token kept by `StripLinkToken`; `null` if the page was opened without a link. */
export function useLinkToken(): string | null {
  const token = (useLocation().state as { token?: unknown } | null)?.token;
  return typeof token === "string" ? token : null;
}
