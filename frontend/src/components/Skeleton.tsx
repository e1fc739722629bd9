/** Placeholder rows while loading. Appears after a delay, because most responses are faster. */
export function Skeleton({ rows }: { rows: number }) {
  return (
    <div className="skeleton" role="status">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: identical, static rows
        <div key={row} className="card" aria-hidden="true">
          <i />
          <i />
        </div>
      ))}
    </div>
  );
}
