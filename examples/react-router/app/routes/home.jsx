import { useClient } from "@cloakroom/client/react";
import { useNavigate } from "react-router";
import { requireUser } from "../session.server.js";

export async function loader({ request }) {
  const { user } = await requireUser(request);
  return { email_address: user.email_address };
}

export const headers = () => ({ "Cache-Control": "private, no-store" });

export default function Home({ loaderData }) {
  const [client, navigate] = [useClient(), useNavigate()];
  const signOut = () => client.signOut().then(() => navigate("/sign-in"));
  return (
    <p>
      Hello, {loaderData.email_address} <button onClick={signOut}>Sign out</button>
    </p>
  );
}
