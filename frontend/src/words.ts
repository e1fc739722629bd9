// Machines' values in people's words.

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** `3 minutes ago`, `in 2 days`. A clock that is a little off does not make the past the future. */
export function ago(at: Date, now: Date): string {
  const seconds = Math.round((at.getTime() - now.getTime()) / 1000);
  const [unit, size] = STEPS.find(([, step]) => Math.abs(seconds) >= step) ?? [];
  return unit && size ? RELATIVE.format(Math.trunc(seconds / size), unit) : "just now";
}

/** `31 January 2026`. */
export function day(at: Date): string {
  return DAY.format(at);
}

/** `09:30`. */
export function clock(at: Date): string {
  return CLOCK.format(at);
}

// The first that is found counts: every browser claims to be others.
const PROGRAMS: [RegExp, string][] = [
  [/\bEdgA?\b|\bEdge\b|\bEdgiOS\b/, "Edge"],
  [/\bOPR\b|\bOpera\b/, "Opera"],
  [/\bSamsungBrowser\b/, "Samsung Internet"],
  [/\bFirefox\b|\bFxiOS\b/, "Firefox"],
  [/\bChromium\b/, "Chromium"],
  [/\b(Headless)?Chrome\b|\bCriOS\b/, "Chrome"],
  [/\bSafari\b/, "Safari"],
  [/^curl\b/, "curl"],
];
const SYSTEMS: [RegExp, string][] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "Mac"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

export interface Device {
  name: string;
  mobile: boolean;
}

/** `Firefox on Linux`; a guess, since anybody can claim anything. */
export function device(userAgent: string | null): Device {
  const agent = userAgent ?? "";
  const find = (known: [RegExp, string][]) => known.find(([pattern]) => pattern.test(agent))?.[1];
  const program = find(PROGRAMS) ?? /^[\w.-]{1,30}/.exec(agent)?.[0];
  const system = find(SYSTEMS);
  return {
    name: [program, system].filter(Boolean).join(" on ") || "Unknown device",
    mobile: /\bMobile\b|\bAndroid\b|\biPhone\b|\biPad\b/.test(agent),
  };
}
