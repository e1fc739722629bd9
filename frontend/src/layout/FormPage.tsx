import type { ReactNode } from "react";
import { PageTitle } from "./PageTitle.js";

/** A page with one form, styled as a ticket: the title on its stub, the form on its body. */
export function FormPage({
  title,
  lead,
  children,
}: {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className="form-page">
      <div className="form-page-header">
        <PageTitle>{title}</PageTitle>
        {lead && <p>{lead}</p>}
      </div>
      <div className="form-page-body">{children}</div>
    </div>
  );
}
