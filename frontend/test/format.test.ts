import { expect, test } from "vitest";
import { describeUserAgent, formatRelative, formatTime } from "../src/format.js";

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux", false],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
    "Edge on Windows",
    false,
  ],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
    "Safari on Mac",
    false,
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1",
    "Chrome on iPhone",
    true,
  ],
  [
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
    "Chrome on Android",
    true,
  ],
  ["curl/8.5.0", "curl", false],
  ["backup-script/1.0 (nightly)", "backup-script", false],
  ["", "Unknown device", false],
])("describes the user agent %s", (agent, name, mobile) => {
  expect(describeUserAgent(agent)).toEqual({ name, mobile });
});

test("a missing user agent is an unknown device", () => {
  expect(describeUserAgent(null).name).toBe("Unknown device");
});

test.each([
  [-5, "just now"],
  [40, "just now"],
  [-60, "1 minute ago"],
  [-3_599, "59 minutes ago"],
  [-7_200, "2 hours ago"],
  [-86_400, "yesterday"],
  [-30 * 86_400, "last month"],
  [3 * 86_400, "in 3 days"],
])("formats %i seconds from now as %s", (seconds, text) => {
  const now = new Date("2026-01-31T09:30:00.000Z");
  expect(formatRelative(new Date(now.getTime() + seconds * 1000), now)).toBe(text);
});

test("a time has two digits for hours and minutes", () => {
  expect(formatTime(new Date(2026, 0, 31, 9, 5))).toBe("09:05");
});
