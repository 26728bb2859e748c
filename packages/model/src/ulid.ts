import {randomFillSync} from "node:crypto";
import {StrataError} from "@strata/base";

/** Crockford's base 32: no I, L, O, U. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** 26 characters of 5 bits hold 130, so the first may carry only 3. Either case is read, as by the Go original. */
const SHAPE = /^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$/;

/** The ULID that stands for "none" in a meta.json: all zero. */
export const ZERO_ULID = "00000000000000000000000000";

/** The canonical (upper case) form, or undefined where `text` is no ULID: 26 characters, strictly of the alphabet. */
export function parseUlid(text: string): string | undefined {
  return SHAPE.test(text) ? text.toUpperCase() : undefined;
}

/** Creation time in ms that a ULID carries in its first ten characters. Throws `bad_data` where it is none. */
export function ulidTime(ulid: string): number {
  const canonical = parseUlid(ulid);
  if (canonical === undefined) throw new StrataError("bad_data", `cannot read time of ${ulid}: not a ULID`);
  let t = 0;
  for (let i = 0; i < 10; i++) t = t * 32 + ALPHABET.indexOf(canonical[i] as string);
  return t;
}

const RANDOM_BYTES = 10;
/** Random bytes got at once. PERF: each request has an id or two, and asking for ten bytes costs as much as for some hundred. */
const pool = new Uint8Array(64 * RANDOM_BYTES);
let used = pool.length;

function nextRandom(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += RANDOM_BYTES;
  return pool.subarray(used - RANDOM_BYTES, used);
}

/** A new ULID of the given time (ms) with 80 random bits; `random` (10 bytes) makes it repeatable for tests. */
export function newUlid(timeMs: number, random: Uint8Array = nextRandom()): string {
  let time = "";
  for (let i = 0, rest = timeMs; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  let tail = "";
  let bits = 0;
  let held = 0;
  for (const byte of random.subarray(0, RANDOM_BYTES)) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      tail += ALPHABET[(held >> bits) & 31];
    }
  }
  return time + tail;
}
