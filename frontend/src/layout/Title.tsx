import { useEffect, useRef } from "react";

/** Whether a page has been shown: only from then on is a page arrived at, and not loaded. */
let arrived = false;

/** The heading of a page and the title of its window. The focus goes there when the page is come to. */
export function Title({ children }: { children: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (arrived) {
      heading.current?.focus();
    }
    arrived = true;
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
