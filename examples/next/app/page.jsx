import { requireUser } from "./session.js";
import { SignOut } from "./sign-out.jsx";

export default async function Home() {
  const { user } = await requireUser();
  return <p>Hello, {user.email_address} <SignOut /></p>;
}
