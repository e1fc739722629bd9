// Mailed links have their token in the fragment, which reaches no server, or in the path where `links` of the server's
// settings says so. It is moved from the URL to the history state before the first request: reloads keep it, and it does
// not show up in the history, in bookmarks or in screenshots.

import { Navigate, Outlet, useLocation, useParams } from "react-router";

/** Takes the token from the fragment before it shows the page, also when another link is opened in the same tab. */
export function TakeLinkToken() {
  const { pathname, hash } = useLocation();
  const token = hash.slice(1);
  return token ? <Navigate to={pathname} replace state={{ token }} /> : <Outlet />;
}

/** Redirects from a path with the token to the page without it. */
export function StripLinkToken({ to }: { to: string }) {
  const { token } = useParams();
  return <Navigate to={to} replace state={{ token }} />;
}

/** The token of the link that opened the page; `null` if it was opened without one. */
export function useLinkToken(): string | null {
  const token = (useLocation().state as { token?: unknown } | null)?.token;
  return typeof token === "string" ? token : null;
}
