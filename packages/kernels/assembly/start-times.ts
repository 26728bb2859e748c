// Start timestamps, which XOR2 and two histogram encodings add after each sample's data.
//
//   header byte: bit 7 whether sample 0 has one, bits 0-6 the sample from which on they are written
//   sample 0: varint t0 - st, if it has one | sample n from the first change on: varbitInt of the change of
//   (t of the sample before - st)

import {putVarbitInt, putVarint} from "./bit-put";
import {readVarbitInt, readVarint, varintOk} from "./bits";

let first: i64 = 0;
let changeOn: u32 = 0;
let known: bool = false;
let diff: i64 = 0;

export function startTimesBegin(header: u32): void {
  known = (header & 0x80) != 0;
  changeOn = header & 0x7f;
  first = 0;
  diff = 0;
}

/** The start time of sample 0 at time t; false when malformed. */
export function startTimeFirst(base: usize, t: i64): bool {
  if (!known) return true;
  first = t - readVarint(base);
  return varintOk;
}

/** The start time of sample 0, 0 for none. */
@inline export function firstStartTime(): i64 {
  return first;
}

/** The start time of sample n >= 1, whose predecessor is at `before`. */
@inline export function startTimeNext(base: usize, n: u32, before: i64): i64 {
  if (changeOn == 0 || n < changeOn) return first;
  diff += readVarbitInt(base);
  return before - diff;
}

/** The header has seven bits for the sample from which on start times are written. */
const LAST_CHANGE_ON: u32 = 127;

let lastStart: i64 = 0;
let lastDiff: i64 = 0;

export function putStartTimesBegin(): void {
  changeOn = 0;
  known = false;
  lastStart = 0;
  lastDiff = 0;
}

/** Goes on where another chunk's writing stood: its four numbers as putStartTimesSave left them. */
export function putStartTimesResume(on: u32, isKnown: u32, start: i64, difference: i64): void {
  changeOn = on;
  known = isKnown != 0;
  lastStart = start;
  lastDiff = difference;
}

/** Leaves u32 changeOn, u32 known, i64 last start time, i64 its difference at an address. */
export function putStartTimesSave(at: usize): void {
  store<u32>(at, changeOn);
  store<u32>(at, known ? 1 : 0, 4);
  store<i64>(at, lastStart, 8);
  store<i64>(at, lastDiff, 16);
}

/** Writes the start time (0 for none) of sample 0 at time t. */
export function putFirstStartTime(t: i64, st: i64): void {
  known = st != 0;
  lastStart = st;
  if (known) putVarint(t - st);
}

/** Writes the start time of sample n >= 1, whose predecessor is at `before`. */
export function putNextStartTime(n: u32, before: i64, st: i64): void {
  const diff = before - st;
  if (changeOn == 0) {
    if (st == lastStart && n != LAST_CHANGE_ON) return;
    changeOn = n;
    putVarbitInt(diff);
  } else {
    putVarbitInt(diff - lastDiff);
  }
  lastStart = st;
  lastDiff = diff;
}

/** The header byte of what was written. */
export function startTimesHeader(): u32 {
  return (known ? 0x80 : 0) | changeOn;
}
