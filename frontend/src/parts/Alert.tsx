import { type ReactNode, useEffect, useRef } from "react";

interface AlertProps {
  /** Whether it stands where the form was that had the focus. */
  focused?: boolean;
  children: ReactNode;
}

/** What went wrong, said at once to those who listen. */
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

/** What went well. Its place is there before its text, so that the text is heard. */
export function Notice({ children }: { children: ReactNode }) {
  return <div role="status">{children && <p className="notice">{children}</p>}</div>;
}
