"use client";

import { createClient } from "@cloakroom/client";
import { AuthProvider } from "@cloakroom/client/react";
import { useState } from "react";

export function Providers({ url, children }) {
  const [client] = useState(() => createClient({ url, credentials: "cookie" }));
  return <AuthProvider client={client}>{children}</AuthProvider>;
}
