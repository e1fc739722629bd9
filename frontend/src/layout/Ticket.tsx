import type { ReactNode } from "react";
import { Title } from "./Title.js";

/** The page of one form: a ticket with a stub that says what it is for. */
export function Ticket({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  return (
    <div className="ticket">
      <div className="stub">
        <Title>{title}</Title>
        {lead && <p>{lead}</p>}
      </div>
      <div className="body">{children}</div>
    </div>
  );
}
