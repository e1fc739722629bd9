/** The time until one may try again. It is said once and shown ticking. */
export function Countdown({ from, left }: { from: number; left: number }) {
  return (
    <p className="countdown">
      <span className="unseen">You can try again in {inWords(from)}.</span>
      <span aria-hidden="true">
        Again in <b>{`${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`}</b>
      </span>
    </p>
  );
}

function inWords(seconds: number): string {
  return seconds < 90 ? many(seconds, "second") : many(Math.ceil(seconds / 60), "minute");
}

/** `1 second`, `2 seconds`. */
export function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
