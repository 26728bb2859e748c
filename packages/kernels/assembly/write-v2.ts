// Remote write 2.0 to 1.0: symbols put in place, metadata left out, start times of samples and histograms kept in their
// fields (3 and 17), which 1.0 does not have and its readers skip.
//
//   v2: 4 symbols   5 series { 1 label references   2 samples   3 histograms   4 exemplars { 1 references … } }
//   job (u32 each): 0 room for symbols   4 symbols (u32 offset, u32 length, of the whole field)   8 target   12 its room, with 16 bytes behind
//   results:       16 symbols   20 series   24 samples   28 histograms   32 exemplars   36 offset of the fault
//                  40 its detail   44 metadata entries   48 whether it is walked

import {NO_ROOM} from "./bits";
import {
  at, begin, copyShort, fail, fault, faultDetail, fieldEnd, moveTo, putVarint, putVarint4, shortVarint, skip,
  WRONG_WIRE_TYPE,
} from "./proto-bytes";
import {othersSoFar, putEntry, putOther, readSample, samplesSoFar, walkBegin, walkEnd} from "./write-request";

/** A reference beyond the symbols. */
const BAD_REFERENCE: i32 = 6;

let out: usize = 0;
let outEnd: usize = 0;
let full: bool = false;
let symbols: usize = 0;
let symbolCount: u32 = 0;
let base: usize = 0;
/** Labels of the series so far. */
let labels: u32 = 0;
/** The reference of a name whose value comes next. */
let name: i64 = -1;

@inline function hasRoom(bytes: usize): bool {
  if (bytes <= outEnd - out) return true;
  full = true;
  return false;
}

/** Takes the next reference of a label list; every second one completes a label, written as field 1. */
function reference(ref: u64): void {
  if (name < 0) {
    name = <i64>ref;
    return;
  }
  const nameRef = <u64>name;
  name = -1;
  if (ref >= <u64>symbolCount || nameRef >= <u64>symbolCount) {
    fail(BAD_REFERENCE, <u32>max(ref, nameRef));
    return;
  }
  const n = symbols + (<usize>nameRef << 3);
  const v = symbols + (<usize>ref << 3);
  const inner = load<u32>(n, 4) + load<u32>(v, 4);
  if (!hasRoom(<usize>inner + LABEL_HEAD)) return;
  out = putLabel(out, n, v, inner);
  labels++;
}

/** Tag and length of a label at the most. */
const LABEL_HEAD: u32 = 6;

/** Writes a label: its name and value are fields of the request, which only change their numbers. */
@inline function putLabel(to: usize, n: usize, v: usize, inner: u32): usize {
  const nameSize = load<u32>(n, 4);
  let o = to;
  store<u8>(o, 0x0a);
  if (inner < 0x80) {
    store<u8>(o, <u8>inner, 1);
    o += 2;
  } else o = putVarint(o + 1, inner);
  copyShort(o, base + load<u32>(n), nameSize);
  store<u8>(o, 0x0a);
  o += nameSize;
  const valueSize = load<u32>(v, 4);
  copyShort(o, base + load<u32>(v), valueSize);
  store<u8>(o, 0x12);
  return o + valueSize;
}

/** As far as a list [at, to) holds pairs of references of one or two bytes each. The rest is for `reference`. */
function shortPairs(to: usize): void {
  // PERF: the places are locals here: as globals, each step would wait for the one before to reach memory.
  let p = at;
  let o = out;
  const table = symbols;
  const count = symbolCount;
  while (p < to) {
    // Reads behind the list, at most four bytes, stay within memory.
    let q = p;
    let word = <u32>load<u16>(q);
    let nameRef = word & 0x7f;
    q++;
    if (word & 0x80) {
      if (word & 0x8000) break;
      nameRef |= (word >> 1) & 0x3f80;
      q++;
    }
    word = <u32>load<u16>(q);
    let ref = word & 0x7f;
    q++;
    if (word & 0x80) {
      if (word & 0x8000) break;
      ref |= (word >> 1) & 0x3f80;
      q++;
    }
    if (q > to || nameRef >= count || ref >= count) break;
    const n = table + (<usize>nameRef << 3);
    const v = table + (<usize>ref << 3);
    const inner = load<u32>(n, 4) + load<u32>(v, 4);
    if (<usize>inner + LABEL_HEAD > outEnd - o) break;
    o = putLabel(o, n, v, inner);
    labels++;
    p = q;
  }
  moveTo(p);
  out = o;
}

/** Copies the content [at, to) of a field as another field. */
function copyField(tag: u8, to: usize): void {
  const size = <u32>(to - at);
  if (!hasRoom(<usize>size + 6)) return;
  store<u8>(out++, tag);
  out = putVarint(out, size);
  copyShort(out, at, size);
  out += size;
  moveTo(to);
}

/** Reads label references, packed or one by one. False where the tag is of another field. */
function references(tag: u64, end: usize): bool {
  if (tag == 0x0a) {
    const to = fieldEnd(end);
    if (name < 0) shortPairs(to);
    while (at < to && fault == 0 && !full) reference(shortVarint(to));
    return true;
  }
  if (tag != 0x08) return false;
  reference(shortVarint(end));
  return true;
}

/** Begins a nested message, whose length is written by `close`. */
function open(tag: u8): usize {
  if (!hasRoom(5)) return 0;
  store<u8>(out, tag);
  out += 5;
  return out;
}

function close(start: usize): void {
  if (!full) putVarint4(start - 4, <u32>(out - start));
}

/** Where its content begins. */
function exemplar(to: usize): usize {
  const start = open(0x1a);
  name = -1;
  while (at < to && fault == 0 && !full) {
    const field = at;
    const tag = shortVarint(to);
    if (references(tag, to)) continue;
    if (tag >> 3 == 1) fail(WRONG_WIRE_TYPE, <u32>tag & 7);
    skip(tag, to);
    if (fault != 0) break;
    // Value (2) and time (3) have the same numbers in both.
    const size = at - field;
    if (!hasRoom(size)) break;
    copyShort(out, field, <u32>size);
    out += size;
  }
  close(start);
  return start;
}

/**
 * Translates [src, src + length). Bytes written, NO_ROOM, or −10 − kind of fault. `walk` is a job as of writeWalk, which is
 * done on the way where there is room and labels come first, as they do: result 48 says whether.
 */
export function writeFromV2(src: usize, length: u32, job: usize, walk: usize): i32 {
  const end = src + length;
  const symbolRoom = load<u32>(job, 0);
  base = src;
  symbols = <usize>load<u32>(job, 4);
  symbolCount = 0;
  const dst = <usize>load<u32>(job, 8);
  out = dst;
  outEnd = dst + load<u32>(job, 12);
  full = false;
  let series: u32 = 0;
  let samples: u32 = 0;
  let histograms: u32 = 0;
  let exemplars: u32 = 0;
  let metadata: u32 = 0;
  begin(src);
  while (at < end && fault == 0 && !full) {
    const tag = shortVarint(end);
    // From the last byte of the tag on, which another number takes the place of.
    const field = at - 1;
    if (tag != 0x22) {
      if (tag >> 3 == 4 || (tag >> 3 == 5 && tag != 0x2a)) fail(WRONG_WIRE_TYPE, <u32>tag & 7);
      else skip(tag, end);
      continue;
    }
    const to = fieldEnd(end);
    if (symbolCount == symbolRoom) full = true;
    else {
      const symbol = symbols + (<usize>symbolCount << 3);
      symbolCount++;
      store<u32>(symbol, <u32>(field - src));
      store<u32>(symbol + 4, <u32>(to - field));
    }
    moveTo(to);
  }
  if (fault == 0 && !full) begin(src);
  const seriesRoom = load<u32>(walk);
  const sampleRoom = load<u32>(walk, 8);
  const otherRoom = load<u32>(walk, 24);
  walkBegin();
  let walks = true;
  while (at < end && fault == 0 && !full) {
    const tag = shortVarint(end);
    if (tag != 0x2a) {
      skip(tag, end);
      continue;
    }
    const to = fieldEnd(end);
    const start = open(0x0a);
    if (series == seriesRoom) walks = false;
    series++;
    name = -1;
    labels = 0;
    const firstSample = samplesSoFar();
    const firstOther = othersSoFar();
    let labelsTo = start;
    while (at < to && fault == 0 && !full) {
      const t = shortVarint(to);
      const before = out;
      if (references(t, to)) {
        if (labelsTo != before) walks = false;
        labelsTo = out;
        continue;
      }
      if (t == 0x12) {
        samples++;
        const stop = fieldEnd(to);
        const from = at;
        if (samplesSoFar() == sampleRoom) walks = false;
        if (walks) {
          readSample(walk, stop);
          moveTo(from);
        }
        copyField(0x12, stop);
      } else if (t == 0x1a || t == 0x22) {
        const number: u32 = t == 0x1a ? 4 : 3;
        let from: usize = 0;
        if (number == 4) {
          histograms++;
          const stop = fieldEnd(to);
          const size = stop - at;
          copyField(0x22, stop);
          from = out - size;
        } else {
          exemplars++;
          const pending = name;
          const own = labels;
          from = exemplar(fieldEnd(to));
          name = pending;
          labels = own;
        }
        if (othersSoFar() == otherRoom) walks = false;
        if (walks) putOther(walk, number, <u32>(from - dst), <u32>(out - dst));
      } else {
        if (t >> 3 >= 1 && t >> 3 <= 4) fail(WRONG_WIRE_TYPE, <u32>t & 7);
        if (t == 0x2a) metadata++;
        skip(t, to);
      }
    }
    close(start);
    // Labels behind samples, or in several pieces, are looked for by a walk.
    if (labels == 0 || labelsTo == start) walks = false;
    if (walks && fault == 0 && !full) {
      putEntry(walk, series - 1, dst, start - 5, out, start, labelsTo, labels, false, firstSample, firstOther);
    }
  }
  if (walks) walkEnd(walk, series, 0, 0, histograms, exemplars);
  store<u32>(job, walks ? 1 : 0, 48);
  store<u32>(job, symbolCount, 16);
  store<u32>(job, series, 20);
  store<u32>(job, samples, 24);
  store<u32>(job, histograms, 28);
  store<u32>(job, exemplars, 32);
  store<u32>(job, <u32>(at - src), 36);
  store<u32>(job, faultDetail, 40);
  store<u32>(job, metadata, 44);
  if (fault != 0) return -10 - fault;
  return full ? NO_ROOM : <i32>(out - dst);
}
