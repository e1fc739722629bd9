// Formats values for display.

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** `3 minutes ago`, `in 2 days`; under a minute `just now`, which also hides small clock differences. */
export function formatRelative(at: Date, now: Date): string {
  const seconds = Math.round((at.getTime() - now.getTime()) / 1000);
  const [unit, size] = UNITS.find(([, unitSeconds]) => Math.abs(seconds) >= unitSeconds) ?? [];
  return unit && size ? RELATIVE.format(Math.trunc(seconds / size), unit) : "just now";
}

/** `31 January 2026`. */
export function formatDate(at: Date): string {
  return DATE.format(at);
}

/** `09:30`. */
export function formatTime(at: Date): string {
  return TIME.format(at);
}

// The first match wins: most browsers also name the browsers they descend from.
const BROWSERS: [RegExp, string][] = [
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

/** `Firefox on Linux`; a guess: clients choose their user agent freely. */
export function describeUserAgent(userAgent: string | null): Device {
  const agent = userAgent ?? "";
  const find = (known: [RegExp, string][]) => known.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = find(BROWSERS) ?? /^[\w.-]{1,30}/.exec(agent)?.[0];
  const system = find(SYSTEMS);
  return {
    name: [browser, system].filter(Boolean).join(" on ") || "Unknown device",
    mobile: /\bMobile\b|\bAndroid\b|\biPhone\b|\biPad\b/.test(agent),
  };
}

/** `1 second`, `2 seconds`. */
export function pluralize(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
