import { useEffect, useRef } from "react";

/** Whether the first page was rendered: later pages are reached by navigation, not by loading. */
let hasRendered = false;

/** The heading of a page and the title of its window. Receives the focus after navigation. */
export function PageTitle({ children }: { children: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (hasRendered) {
      heading.current?.focus();
    }
    hasRendered = true;
  }, []);
  return (
    <>
      <title>{`${children} · Cloakroom`}</title>
      <h1 ref={heading} tabIndex={-1}>
        {children}
      </h1>
    </>
  );
}
