import { useAuth } from "@cloakroom/client/react";
import { type ReactNode, useState } from "react";
import { Navigate } from "react-router";
import { SecondFactor } from "./SecondFactor.js";

interface NextStepOptions {
  /** The page for a user who is signed in. */
  to: string;
  /** Called with the reason when the second factor has ended the sign-in. */
  onEnded: (reason: string) => void;
}

/** What follows a sign-in that a link or a provider began: the second factor, or another page; null if it has ended. */
export function useNextStep({ to, onEnded }: NextStepOptions): ReactNode {
  const auth = useAuth();
  const [startsOver, setStartsOver] = useState(false);
  if (startsOver) {
    return <Navigate to="/sign-in" replace />;
  }
  switch (auth.status) {
    case "second-factor": {
      const { methods, expiresAt } = auth;
      return (
        <SecondFactor
          methods={methods}
          expiresAt={expiresAt}
          onEnded={onEnded}
          onStartOver={() => setStartsOver(true)}
        />
      );
    }
    case "signed-in":
      return <Navigate to={to} replace />;
    default:
      return null;
  }
}
