import { pluralize } from "../format.js";

/** The time until the next attempt: announced once to screen readers, shown as a running clock. */
export function Countdown({ from, left }: { from: number; left: number }) {
  return (
    <p className="countdown">
      <span className="visually-hidden">You can try again in {spokenDuration(from)}.</span>
      <span aria-hidden="true">
        Try again in <b>{`${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`}</b>
      </span>
    </p>
  );
}

function spokenDuration(seconds: number): string {
  return seconds < 90 ? pluralize(seconds, "second") : pluralize(Math.ceil(seconds / 60), "minute");
}
