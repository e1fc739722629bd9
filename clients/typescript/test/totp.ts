// The codes of an authenticator app (RFC 6238). Used by the tests of the client and of the front end.

import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** Milliseconds for which an app shows a code. */
const STEP = 30_000;
/** Milliseconds that a busy machine may take to send the previous code. */
const MARGIN = 15_000;

/** The code that an app shows now for a secret in base32. */
export function totpCode(secret: string): string {
  return codeAt(secret, Date.now());
}

/**
 * The code that an app showed before the current one, while the server still accepts it: each code works once, so that
 * a test uses this one first and the current one later.
 */
export async function previousTotpCode(secret: string): Promise<string> {
  const left = STEP - (Date.now() % STEP);
  if (left < MARGIN) {
    await sleep(left);
  }
  return codeAt(secret, Date.now() - STEP);
}

function codeAt(secret: string, time: number): string {
  const bits = [...secret].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(time / STEP)));
  const digest = createHmac("sha1", key).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
