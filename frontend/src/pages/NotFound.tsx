import { Ticket } from "../layout/Ticket.js";
import { Onward } from "../parts/Onward.js";

export function NotFound() {
  return (
    <Ticket title="There is nothing here" lead="No coat hangs on this hook.">
      <p>The address may be mistyped, or what was here is gone.</p>
      <Onward to="/">Go home</Onward>
    </Ticket>
  );
}
