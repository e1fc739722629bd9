import { type ReactNode, useEffect, useRef } from "react";
import { Link } from "react-router";

interface OnwardProps {
  to: string;
  /** Whether it stands where the form was that had the focus. */
  focused?: boolean;
  children: ReactNode;
}

/** The one way on from a page that is done. */
export function Onward({ to, focused = false, children }: OnwardProps) {
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (focused) {
      link.current?.focus();
    }
  }, [focused]);
  return (
    <Link className="button main" to={to} ref={link}>
      {children}
    </Link>
  );
}
