import { type ReactNode, useEffect, useRef } from "react";

interface AlertProps {
  /** Set when the alert replaces a form that had the focus. */
  focused?: boolean;
  children: ReactNode;
}

/** An error; screen readers announce it immediately. */
export function Alert({ focused = false, children }: AlertProps) {
  const alert = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (focused) {
      alert.current?.focus();
    }
  }, [focused]);
  return (
    <div ref={alert} className="alert" role="alert" tabIndex={-1}>
      {children}
    </div>
  );
}

/** A success message. The live region is rendered before its text, so that screen readers announce it. */
export function Notice({ children }: { children: ReactNode }) {
  return <div role="status">{children && <p className="notice">{children}</p>}</div>;
}
