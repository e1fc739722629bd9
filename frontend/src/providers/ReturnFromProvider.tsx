import type { CloakroomError } from "@cloakroom/client";
import { useAuth } from "@cloakroom/client/react";
import { useProviderReturn } from "@cloakroom/client/react/providers";
import { useState } from "react";
import { Link, Navigate } from "react-router";
import { Alert } from "../components/Alert.js";
import { LoadError } from "../components/LoadError.js";
import { NextLink } from "../components/NextLink.js";
import { Skeleton } from "../components/Skeleton.js";
import { FormPage } from "../layout/FormPage.js";
import { returnPath } from "../layout/guards.js";
import { useNextStep } from "../pages/useNextStep.js";
import { ERRORS, REFUSALS } from "./refusals.js";

/** These are of no concern to a user who is signed in: the page was opened a second time. */
const REPEATED = ["state_used", "exchange_code_invalid"];

/** The page that a provider sends the browser back to: it signs in, or links an account. */
export function ReturnFromProvider() {
  const auth = useAuth();
  const [ended, setEnded] = useState("The sign-in has ended. Start again.");
  const returned = useProviderReturn();
  const { links = false, return_to } = returned;
  const nextStep = useNextStep({ to: returnPath({ from: return_to }), onEnded: setEnded });
  switch (returned.status) {
    case "loading":
      return <Loading links={links} />;
    case "none":
      return <Navigate to="/" replace />;
    case "signed-in":
      return <Navigate to={returnPath({ from: return_to })} replace />;
    case "second-factor":
      return nextStep ?? <Refused text={ended} links={false} />;
    case "linked":
      return <Navigate to="/account" replace state={{ linked: returned.identity.provider }} />;
  }
  const code = returned.status === "refused" ? returned.reason : returned.error.code;
  if (!links && REPEATED.includes(code)) {
    if (auth.status === "loading") {
      return <Loading links={links} />;
    }
    if (auth.status === "signed-in") {
      return <Navigate to="/" replace />;
    }
  }
  if (returned.status === "refused") {
    return <Refused code={code} text={REFUSALS[returned.reason] ?? REFUSALS.provider_error} links={links} />;
  }
  const { error, retry } = returned;
  const text = ERRORS[code];
  return text ? (
    <Refused code={code} text={text} links={links} />
  ) : (
    <Failed error={error} retry={retry} links={links} />
  );
}

function Loading({ links }: { links: boolean }) {
  return (
    <FormPage title={links ? "Linking your account" : "Signing you in"}>
      <Skeleton rows={1} />
    </FormPage>
  );
}

interface RefusedProps {
  /** Of the table of errors; absent where a second factor ended the sign-in. */
  code?: string;
  text: string;
  links: boolean;
}

function Refused({ code, text, links }: RefusedProps) {
  const wasCancelled = code === "access_denied";
  const resets = code === "account_exists" || code === "second_factor_enrolment_required";
  return (
    <FormPage key="refused" title={title(links)}>
      {wasCancelled ? (
        <p>{text}</p>
      ) : (
        <Alert focused>
          <p>{text}</p>
        </Alert>
      )}
      {code && !wasCancelled && (
        <p className="hint">
          Error code: <code>{code}</code>
        </p>
      )}
      <Back links={links} />
      {resets && (
        <p className="aside">
          <Link to="/passwords/new">Reset your password</Link>
        </p>
      )}
    </FormPage>
  );
}

/** What may work at another attempt, or is no concern of providers. */
function Failed({ error, retry, links }: { error: CloakroomError; retry: () => void; links: boolean }) {
  return (
    <FormPage key="failed" title={title(links)}>
      <LoadError error={error} retry={retry} />
      <Back links={links} />
    </FormPage>
  );
}

function Back({ links }: { links: boolean }) {
  const { status } = useAuth();
  return links ? (
    <NextLink to="/account">Back to your account</NextLink>
  ) : (
    <NextLink to={status === "signed-in" ? "/" : "/sign-in"}>
      {status === "signed-in" ? "Go to your projects" : "Back to sign in"}
    </NextLink>
  );
}

function title(links: boolean): string {
  return links ? "Account not linked" : "Sign-in not completed";
}
