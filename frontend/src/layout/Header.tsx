import { CloakroomError } from "@cloakroom/client";
import { useAuth } from "@cloakroom/client/react";
import { useState } from "react";
import { Link, NavLink } from "react-router";
import { Mark } from "../parts/Mark.js";

/** The way home and the way out. It has its final height before it is known who is signed in. */
export function Header({ onTrouble }: { onTrouble: (text: string | null) => void }) {
  const auth = useAuth();
  const [leaving, setLeaving] = useState(false);

  async function signOut() {
    setLeaving(true);
    onTrouble(null);
    try {
      await auth.client.signOut();
    } catch (error) {
      onTrouble(
        `You are still signed in. ${CloakroomError.is(error) ? error.message : "Something went wrong"}.`,
      );
    } finally {
      setLeaving(false);
    }
  }

  return (
    <header className="top">
      <Link className="brand" to="/">
        <Mark />
        <span>Cloakroom</span>
      </Link>
      <nav aria-label="Main">
        {auth.status === "signed-in" && (
          <>
            <NavLink to="/account">Your account</NavLink>
            <button
              type="button"
              className="plain"
              aria-disabled={leaving}
              onClick={() => leaving || void signOut()}
            >
              Sign out
            </button>
          </>
        )}
        {auth.status === "signed-out" && (
          <>
            <NavLink to="/sign-in">Sign in</NavLink>
            <NavLink to="/sign-up">Sign up</NavLink>
          </>
        )}
      </nav>
    </header>
  );
}
