import type { CloakroomError } from "@cloakroom/client";
import { Ticket } from "../layout/Ticket.js";
import { Problem } from "../parts/Problem.js";

/** Nobody could say who is signed in. */
export function Unreachable({ error, retry }: { error: CloakroomError; retry: () => void }) {
  return (
    <Ticket title="Cannot reach the server">
      <Problem error={error} retry={retry} />
      <p>Nothing is lost. This page tries again when the network is back.</p>
    </Ticket>
  );
}
