import { ago, day } from "../words.js";

/** A moment as people say it, exact for programs and for those who point at it. */
export function Time({ at, as = ago }: { at: string; as?: (at: Date, now: Date) => string }) {
  const date = new Date(at);
  return (
    <time dateTime={at} title={`${day(date)}, ${date.toLocaleTimeString("en-GB")}`}>
      {as(date, new Date())}
    </time>
  );
}
