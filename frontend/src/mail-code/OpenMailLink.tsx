import { CloakroomError } from "@cloakroom/client";
import { useAuth } from "@cloakroom/client/react";
import { useEffect, useRef, useState } from "react";
import { Alert } from "../components/Alert.js";
import { LoadError } from "../components/LoadError.js";
import { NextLink } from "../components/NextLink.js";
import { Skeleton } from "../components/Skeleton.js";
import { formatTime } from "../format.js";
import { FormPage } from "../layout/FormPage.js";
import { useLinkToken } from "../layout/linkToken.js";
import { useNextStep } from "../pages/useNextStep.js";
import { useLoad } from "../useLoad.js";

/** Signs in the browser that asked for the mail. Any other is shown the code, and so is a mail scanner. */
export function OpenMailLink() {
  const token = useLinkToken();
  return token ? <CheckLink token={token} /> : <InvalidLink reason="Open the link from your mail again." />;
}

function CheckLink({ token }: { token: string }) {
  const { client } = useAuth();
  const { data, error, reload } = useLoad((signal) => client.checkMailLink({ token }, { signal }));
  if (error?.code === "link_invalid") {
    return <InvalidLink reason={error.message} focused />;
  }
  if (data?.signs_in) {
    return <SignInByLink token={token} />;
  }
  return (
    <FormPage title="Sign in by mail">
      {error ? (
        <LoadError error={error} retry={reload} />
      ) : data ? (
        <ShownCode code={data.code} expiresAt={data.expires_at} />
      ) : (
        <Skeleton rows={1} />
      )}
    </FormPage>
  );
}

function ShownCode({ code, expiresAt }: { code: string; expiresAt: string }) {
  return (
    <>
      <p>This browser did not ask for the mail. Type the code where you did:</p>
      <p className="mail-code">
        <output aria-label="Code">{code}</output>
      </p>
      <p className="hint">
        It is valid until <time dateTime={expiresAt}>{formatTime(new Date(expiresAt))}</time>.
      </p>
      <p>Give it to no one. If you did not ask for a code, close this page: nothing has changed.</p>
    </>
  );
}

function SignInByLink({ token }: { token: string }) {
  const { client } = useAuth();
  const [done, setDone] = useState(false);
  const [failure, setFailure] = useState<CloakroomError>();
  const [ended, setEnded] = useState("");
  const nextStep = useNextStep({ to: "/", onEnded: setEnded });
  const [attempt, setAttempt] = useState(0);
  const sent = useRef(-1);
  useEffect(() => {
    // The link works once, and effects may run twice.
    if (sent.current === attempt) {
      return;
    }
    sent.current = attempt;
    setFailure(undefined);
    client.signIn({ link_token: token }).then(
      () => setDone(true),
      (error: unknown) => setFailure(CloakroomError.is(error) ? error : undefined),
    );
  }, [client, token, attempt]);

  if (done && nextStep) {
    return nextStep;
  }
  if (done || failure?.code === "link_invalid") {
    return <InvalidLink reason={ended || (failure?.message ?? "The sign-in has ended.")} focused />;
  }
  return (
    <FormPage title="Sign in by mail">
      {failure ? <LoadError error={failure} retry={() => setAttempt(attempt + 1)} /> : <Skeleton rows={1} />}
    </FormPage>
  );
}

function InvalidLink({ reason, focused = false }: { reason: string; focused?: boolean }) {
  return (
    <FormPage title="Sign in by mail">
      <Alert focused={focused}>
        <p>{reason}</p>
      </Alert>
      <p>Links and codes are valid for ten minutes, and work once.</p>
      <NextLink to="/sign-in/code">Ask for another mail</NextLink>
    </FormPage>
  );
}
