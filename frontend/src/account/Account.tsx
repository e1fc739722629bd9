import { useClient, useUser } from "@cloakroom/client/react";
import { PageTitle } from "../layout/PageTitle.js";
import { useLoad } from "../useLoad.js";
import { ApiKeys } from "./ApiKeys.js";
import { ChangeAddress } from "./ChangeAddress.js";
import { ChangePassword } from "./ChangePassword.js";
import { DeleteAccount } from "./DeleteAccount.js";
import { EnrolmentNotice } from "./EnrolmentNotice.js";
import { Sessions } from "./Sessions.js";
import { SignInMethods } from "./SignInMethods.js";
import { SignInMethodsProvider } from "./SignInMethodsContext.js";

const SECTIONS = [
  ["address", "Email address"],
  ["password", "Password"],
  ["sign-in-methods", "Sign-in methods"],
  ["sessions", "Devices"],
  ["api-keys", "API keys"],
  ["delete", "Delete account"],
] as const;

export function Account() {
  const client = useClient();
  const user = useUser();
  const sessions = useLoad(async (signal) => (await client.listSessions({}, { signal })).sessions);
  return (
    <div className="page account">
      <div className="heading">
        <div>
          <PageTitle>Your account</PageTitle>
          <p className="meta">{user.email_address}</p>
        </div>
      </div>
      <EnrolmentNotice />
      <nav className="sections" aria-label="Sections of this page">
        {SECTIONS.map(([id, name]) => (
          <a key={id} href={`#${id}`}>
            {name}
          </a>
        ))}
      </nav>
      <SignInMethodsProvider>
        <div className="stack">
          <ChangeAddress />
          <ChangePassword onDone={sessions.reload} />
          <SignInMethods onUnlinked={sessions.reload} />
          <Sessions sessions={sessions} />
          <ApiKeys />
          <DeleteAccount />
        </div>
      </SignInMethodsProvider>
    </div>
  );
}
