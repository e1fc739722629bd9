/** Stands for rows that are on their way; it shows after a moment, since most come sooner. */
export function Skeleton({ rows }: { rows: number }) {
  return (
    <div className="skeleton" role="status">
      <span className="unseen">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <div key={row} className="card" aria-hidden="true">
          <i />
          <i />
        </div>
      ))}
    </div>
  );
}
