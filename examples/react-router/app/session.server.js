// The session of a request on the server.
import { CloakroomError, createClient } from "@cloakroom/client";
import { redirect } from "react-router";

/** Where the browser and this server reach Cloakroom. */
export const cloakroom = process.env.CLOAKROOM_URL ?? "http://localhost:3000";

/**
 * A client that acts with the session of the request, and its user. Throws a redirect to the sign-in page without a valid
 * session, and any other failure: an outage must not look like a sign-out.
 *
 * Only reads may use it. The browser sends the cookie with requests of other pages too, and Cloakroom cannot check where
 * this request came from. Changes go from the browser to Cloakroom, which checks it.
 */
export async function requireUser(request) {
  const token = sessionToken(request.headers.get("Cookie") ?? "");
  if (!token) throw redirect("/sign-in");
  // A client for each request: shared ones would mix up users.
  const client = createClient({ url: cloakroom, store: { load: () => ({ token }), save() {} } });
  try {
    const { user } = await client.showSession();
    return { client, user };
  } catch (error) {
    if (CloakroomError.is(error) && error.status === 401) throw redirect("/sign-in");
    throw error;
  }
}

/** The cookie's value is the session's token. Of two cookies of the name, neither is trusted. */
function sessionToken(cookies) {
  const found = [...cookies.matchAll(/(?:^|;\s*)(?:__Host-|__Secure-)?cloakroom=([^;\s]+)/g)];
  return found.length === 1 ? found[0][1] : undefined;
}
