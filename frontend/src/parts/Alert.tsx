import type { ReactNode } from "react";

/** What went wrong, said at once to those who listen. */
export function Alert({ children }: { children: ReactNode }) {
  return (
    <div className="alert" role="alert" tabIndex={-1}>
      {children}
    </div>
  );
}

/** What went well. Its place is there before its text, so that the text is heard. */
export function Notice({ children }: { children: ReactNode }) {
  return <div role="status">{children && <p className="notice">{children}</p>}</div>;
}
