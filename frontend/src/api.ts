// The client of this application. It keeps the session in the server's cookie, which survives a reload and which no
// script can read; the page and the API must have the same host name for that.

import { createClient } from "@cloakroom/client";

const told = document.querySelector<HTMLMetaElement>('meta[name="cloakroom-api"]')?.content;

export const client = createClient({
  url: told || `${location.protocol}//${location.hostname}:3000`,
  credentials: "cookie",
});
