import { CloakroomError } from "@cloakroom/client";
import { useAuth } from "@cloakroom/client/react";
import { useState } from "react";
import { Link, NavLink } from "react-router";
import { Logo } from "../components/Logo.js";

/** The site header. Its height does not depend on the sign-in state, so the page does not shift. */
export function Header({ onError }: { onError: (text: string | null) => void }) {
  const auth = useAuth();
  const [signingOut, setSigningOut] = useState(false);

  async function signOut() {
    setSigningOut(true);
    onError(null);
    try {
      await auth.client.signOut();
    } catch (error) {
      onError(
        `You are still signed in. ${CloakroomError.is(error) ? error.message : "Something went wrong"}.`,
      );
    } finally {
      setSigningOut(false);
    }
  }

  return (
    <header className="top">
      <Link className="brand" to="/">
        <Logo />
        <span>Cloakroom</span>
      </Link>
      <nav aria-label="Main">
        {auth.status === "signed-in" && (
          <>
            <NavLink to="/account">Your account</NavLink>
            <button
              type="button"
              className="plain"
              aria-disabled={signingOut}
              onClick={() => signingOut || void signOut()}
            >
              Sign out
            </button>
          </>
        )}
        {(auth.status === "signed-out" || auth.status === "second-factor") && (
          <>
            <NavLink to="/sign-in">Sign in</NavLink>
            <NavLink to="/sign-up">Sign up</NavLink>
          </>
        )}
      </nav>
    </header>
  );
}
