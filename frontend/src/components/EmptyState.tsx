import type { ReactNode } from "react";

/** Shown in place of an empty list, with a drawing of empty coat hangers. */
export function EmptyState({
  title,
  action,
  children,
}: {
  title: string;
  action: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className="empty card">
      <svg className="line" viewBox="0 0 240 96" width="240" height="96" aria-hidden="true" focusable="false">
        <path className="rail" d="M8 14h224" />
        {[48, 120, 192].map((x) => (
          <g key={x} transform={`translate(${x} 14)`}>
            <path d="M0 16v-6a5 5 0 1 1 5-7" />
            <path d="M0 16 30 40a3 3 0 0 1-2 5h-56a3 3 0 0 1-2-5Z" />
          </g>
        ))}
      </svg>
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </div>
  );
}
