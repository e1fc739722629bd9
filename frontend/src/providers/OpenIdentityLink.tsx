import { CloakroomError, type Output } from "@cloakroom/client";
import { useAuth, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { Alert } from "../components/Alert.js";
import { FormAlert } from "../components/FormAlert.js";
import { LoadError } from "../components/LoadError.js";
import { NextLink } from "../components/NextLink.js";
import { Skeleton } from "../components/Skeleton.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { formatDate } from "../format.js";
import { FormPage } from "../layout/FormPage.js";
import { useLinkToken } from "../layout/linkToken.js";
import { useNextStep } from "../pages/useNextStep.js";
import { useLoad } from "../useLoad.js";

const TITLE = "Link your account";

/**
 * Finishes a sign-in by a provider whose address has an account here: links both, in the browser that started it. Any other
 * changes nothing, and so does a mail scanner.
 */
export function OpenIdentityLink() {
  const token = useLinkToken();
  return token ? (
    <CheckLink key={token} token={token} />
  ) : (
    <InvalidLink reason="Open the link from your mail again." />
  );
}

function CheckLink({ token }: { token: string }) {
  const { client } = useAuth();
  const [done, setDone] = useState(false);
  const [ended, setEnded] = useState("");
  const nextStep = useNextStep({ to: "/", onEnded: setEnded });
  const { data, error, reload } = useLoad((signal) => client.checkIdentityLink({ token }, { signal }));
  if (done && nextStep) {
    return nextStep;
  }
  if (done || ended || error?.code === "link_invalid") {
    return <InvalidLink reason={ended || (error?.message ?? "The sign-in has ended.")} focused />;
  }
  return (
    <FormPage title={TITLE}>
      {error ? (
        <LoadError error={error} retry={reload} />
      ) : !data ? (
        <Skeleton rows={1} />
      ) : data.signs_in ? (
        <Confirm token={token} link={data} onDone={() => setDone(true)} onEnded={setEnded} />
      ) : (
        <Elsewhere link={data} />
      )}
    </FormPage>
  );
}

type Checked = Output<"checkIdentityLink">;

/** An account at the provider, as the provider states it. */
function There({ link: { provider, identity } }: { link: Checked }) {
  const names = [identity.name, identity.email].filter(Boolean).join(", ");
  return (
    <>
      account at <b>{provider.name}</b>
      {names && ` (${names})`}
    </>
  );
}

interface ConfirmProps {
  token: string;
  link: Checked;
  onDone: () => void;
  /** Called with the reason when the link is of no use any more. */
  onEnded: (reason: string) => void;
}

/** Links on a click, not on load. */
function Confirm({ token, link, onDone, onEnded }: ConfirmProps) {
  const { client } = useAuth();
  const form = useForm(async (_, options) => {
    try {
      await client.finishIdentityLink({ token }, options);
      onDone();
    } catch (error) {
      if (CloakroomError.is(error) && error.code === "link_invalid") {
        onEnded(error.message);
      }
      throw error;
    }
  });
  const since = new Date(link.account_created_at);
  return (
    <form onSubmit={form.onSubmit}>
      <p>
        Your <There link={link} /> will sign you in to the account <b>{link.email_address}</b>, which was
        created on <time dateTime={link.account_created_at}>{formatDate(since)}</time>.
      </p>
      <FormAlert form={form} />
      <SubmitButton form={form}>Link and sign in</SubmitButton>
      <p className="hint">If that account is not yours, close this page: nothing has changed.</p>
    </form>
  );
}

function Elsewhere({ link }: { link: Checked }) {
  const { name } = link.provider;
  return (
    <>
      <p>
        An <There link={link} /> was used to sign in to the account <b>{link.email_address}</b> from another
        browser.
      </p>
      <p>
        If it was you, open the link in that browser. Or sign in here as usual, and link {name} on your
        account page.
      </p>
      <p>If it was not you, close this page: nothing has changed.</p>
      <NextLink to="/sign-in">Sign in</NextLink>
    </>
  );
}

function InvalidLink({ reason, focused = false }: { reason: string; focused?: boolean }) {
  return (
    <FormPage title={TITLE}>
      <Alert focused={focused}>
        <p>{reason}</p>
      </Alert>
      <p>
        Links are valid for a quarter of an hour, and work once. Sign in by the provider again to get another.
      </p>
      <NextLink to="/sign-in">Back to sign in</NextLink>
    </FormPage>
  );
}
