import { useClient, useUser } from "@cloakroom/client/react";
import { Title } from "../layout/Title.js";
import { useLoad } from "../load.js";
import { ApiKeys } from "./ApiKeys.js";
import { ChangeAddress } from "./ChangeAddress.js";
import { ChangePassword } from "./ChangePassword.js";
import { DeleteAccount } from "./DeleteAccount.js";
import { Devices } from "./Devices.js";

const SECTIONS = [
  ["address", "Email address"],
  ["password", "Password"],
  ["devices", "Devices"],
  ["keys", "API keys"],
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
          <Title>Your account</Title>
          <p className="meta">{user.email_address}</p>
        </div>
      </div>
      <nav className="sections" aria-label="Sections of this page">
        {SECTIONS.map(([id, name]) => (
          <a key={id} href={`#${id}`}>
            {name}
          </a>
        ))}
      </nav>
      <div className="stack">
        <ChangeAddress />
        <ChangePassword onDone={sessions.reload} />
        <Devices sessions={sessions} />
        <ApiKeys />
        <DeleteAccount />
      </div>
    </div>
  );
}
