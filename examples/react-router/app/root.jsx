import { createClient } from "@cloakroom/client";
import { AuthProvider } from "@cloakroom/client/react";
import { useState } from "react";
import { Links, Meta, Outlet, Scripts, useLoaderData } from "react-router";
import { cloakroom } from "./session.server.js";

export const loader = () => ({ url: cloakroom });

// Pages differ by user: no cache may keep them.
export const headers = () => ({ "Cache-Control": "private, no-store" });

export function Layout({ children }) {
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <title>My app</title>
        <Meta />
        <Links />
      </head>
      <body>
        {children}
        <Scripts />
      </body>
    </html>
  );
}

export default function App() {
  const { url } = useLoaderData();
  const [client] = useState(() => createClient({ url, credentials: "cookie" }));
  return (
    <AuthProvider client={client}>
      <Outlet />
    </AuthProvider>
  );
}
