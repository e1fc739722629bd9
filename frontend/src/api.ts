// The application's client. The session is in the server's `HttpOnly` cookie, so the page and the API must be same-site.

import { createClient } from "@cloakroom/client";

const configured = document.querySelector<HTMLMetaElement>('meta[name="cloakroom-api"]')?.content;

export const client = createClient({
  url: configured || `${location.protocol}//${location.hostname}:3000`,
  credentials: "cookie",
});
