import { Link } from "react-router";
import { Ticket } from "../layout/Ticket.js";

export function NotFound() {
  return (
    <Ticket title="There is nothing here" lead="No coat hangs on this hook.">
      <p>The address may be mistyped, or what was here is gone.</p>
      <Link className="button main" to="/">
        Go home
      </Link>
    </Ticket>
  );
}
