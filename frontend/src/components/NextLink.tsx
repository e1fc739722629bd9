import { type ReactNode, useEffect, useRef } from "react";
import { Link } from "react-router";

interface NextLinkProps {
  to: string;
  /** Set when the link replaces a form that had the focus. */
  focused?: boolean;
  children: ReactNode;
}

/** The link to the next page after a completed flow. */
export function NextLink({ to, focused = false, children }: NextLinkProps) {
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
