import { formatDate, formatRelative } from "../format.js";

/** A time relative to now, with the exact time in `dateTime` and the tooltip. */
export function Timestamp({ at, as = formatRelative }: { at: string; as?: (at: Date, now: Date) => string }) {
  const date = new Date(at);
  return (
    <time dateTime={at} title={`${formatDate(date)}, ${date.toLocaleTimeString("en-GB")}`}>
      {as(date, new Date())}
    </time>
  );
}
