import { CloakroomError, createClient } from "@cloakroom/client";
import { headers } from "next/headers";
import { redirect } from "next/navigation";

export const cloakroom = process.env.CLOAKROOM_URL ?? "http://localhost:3000";

/** For reads only: Cloakroom cannot check where this request came from. */
export async function requireUser() {
  const token = sessionToken((await headers()).get("Cookie") ?? "");
  if (!token) redirect("/sign-in");
  // A client for each request: shared ones would mix up users.
  const client = createClient({ url: cloakroom, store: { load: () => ({ token }), save() {} } });
  const current = await client.showSession().catch((error) => {
    if (CloakroomError.is(error) && error.status === 401) return null;
    throw error;
  });
  if (!current) redirect("/sign-in");
  return { client, user: current.user };
}

/** The cookie's value is the session's token. Of two cookies of the name, neither is trusted; `cookies()` hides one. */
function sessionToken(cookies) {
  const found = [...cookies.matchAll(/(?:^|;\s*)(?:__Host-|__Secure-)?cloakroom=([^;\s]+)/g)];
  return found.length === 1 ? found[0][1] : undefined;
}
